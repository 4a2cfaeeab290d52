"""What the shop allows is listed and stored as such, and workers publish what is hidden."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import pytest
from assessing import PARTITION, ItemAgents
from builders import item
from fakes import MemoryAssessments
from typing_extensions import override

from agents.decisions import LOOKS_UNTIL_AGAIN, FollowDecisions
from agents.metrics import total
from agents.ports import Assessed
from models.quality.assessment import Assessment


@dataclass
class MemoryDecisions:
    """The `DecisionStore` port in memory."""

    decided: frozenset[str] = frozenset()
    published: list[list[str]] = field(default_factory=list)

    async def allowed(self) -> frozenset[str]:
        return self.decided

    async def publish_hidden(self, item_ids: Sequence[str]) -> None:
        self.published.append(list(item_ids))


class Overtaken(MemoryAssessments):
    """A store to which another worker writes first, once."""

    earlier: dict[str, Assessment]

    @override
    async def write(self, assessed: Sequence[Assessed]) -> list[str]:
        self.stored |= self.earlier
        self.earlier = {}
        return await super().write(assessed)


class Decided(ItemAgents):
    """Three items, of which two are hidden, and the decisions of their shop."""

    def __init__(self) -> None:
        super().__init__()
        self.decisions = MemoryDecisions()
        self.publishes = True
        self.start()

    def start(self) -> None:
        self.agent = FollowDecisions(
            self.decisions, self.follow, self.assess, lambda: self.owned, lambda: self.publishes
        )

    async def fill(self) -> None:
        await self.handle(item("good", title="Mug"), item("odd", title="Mug?"), item("odder", title="Mug??"))
        self.deliver()
        self.gone.clear()

    async def allow(self, *item_ids: str) -> None:
        self.decisions.decided = frozenset(item_ids)
        await self.agent.look()


@pytest.fixture
async def shop() -> Decided:
    shop = Decided()
    await shop.fill()
    return shop


async def test_an_allowed_item_has_full_weight_until_that_is_undone(shop: Decided) -> None:
    assert shop.weight("odd") == 0.0
    await shop.allow("odd")
    assert (shop.weight("odd"), shop.weight("odder")) == (1.0, 0.0)
    assert shop.gone == []
    await shop.allow()
    assert shop.weight("odd") == 0.0
    assert shop.gone == ["odd"]


async def test_a_new_text_of_an_allowed_item_hides_it_no_more_than_the_old_one(shop: Decided) -> None:
    await shop.allow("odd")
    await shop.handle(item("odd", title="Cup?"))
    shop.deliver()
    assert shop.weight("odd") == 1.0
    await shop.allow()
    assert shop.weight("odd") == 0.0


async def test_a_decision_may_come_before_the_item(shop: Decided) -> None:
    await shop.allow("later")
    await shop.handle(item("later", title="Mug?"))
    shop.deliver()
    assert shop.weight("later") == 1.0


async def test_what_was_decided_is_written_by_the_owner_of_the_item(shop: Decided) -> None:
    shop.diary.entries.clear()
    shop.owned = set()
    await shop.allow("odd")
    assert "assessments" not in shop.diary.entries
    shop.owned = {PARTITION}
    await shop.agent.look()
    assert shop.diary.entries.count("assessments") == 1
    await shop.agent.look()
    assert shop.diary.entries.count("assessments") == 1


async def test_what_another_write_overtakes_is_written_again_over_that_one(shop: Decided) -> None:
    said = shop.assessments.stored["odd"]
    store = Overtaken(shop.store, shop.assessments.stored)
    store.earlier = {"odd": replace(said, judged_by="another")}
    shop.assess = replace(shop.assess, store=store)
    shop.start()
    shop.diary.entries.clear()
    await shop.allow("odd")
    assert total(shop.metrics.refused_writes, what="assessment") == 1
    assert shop.diary.entries.count("assessments") == 2
    assert store.stored["odd"].judged_by == "another"


async def test_a_restarted_worker_keeps_to_the_decision(shop: Decided) -> None:
    await shop.allow("odd")
    shop.follow_with(shop.model)
    shop.start()
    await shop.fill()
    await shop.agent.look()
    assert (shop.weight("odd"), shop.weight("odder")) == (1.0, 0.0)


async def test_hidden_items_are_published_newest_first_once_they_change_and_now_and_then(shop: Decided) -> None:
    for _ in range(3):
        await shop.agent.look()
    assert shop.decisions.published == [["odder", "odd"]]
    await shop.allow("odder")
    assert shop.decisions.published[1:] == [["odd"]]
    for _ in range(LOOKS_UNTIL_AGAIN):
        await shop.agent.look()
    assert shop.decisions.published[2:] == [["odd"]]


async def test_only_one_worker_publishes(shop: Decided) -> None:
    shop.publishes = False
    await shop.agent.look()
    assert shop.decisions.published == []
