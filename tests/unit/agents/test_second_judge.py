"""Judge only what is in doubt, once, whatever changes or fails in between."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace

import pytest
from assessing import PARTITION, ItemAgents, changes
from builders import Fields, item
from fakes import Away, LetterModel
from prometheus_client import CollectorRegistry

from agents.metrics import Metrics, total
from agents.second_judge import AskSecondJudge
from models.contract.events import Item
from models.quality.second_judge_score import SecondJudgeSettings
from models.quality.text import QualitySettings

BAND = SecondJudgeSettings(low=0.1, high=0.5)  # what `LetterModel` finds doubtful has 0.125


@dataclass
class Oracle:
    """A `SecondJudge` with one answer for all items; `meanwhile` happens before it answers."""

    fine: float = 0.875
    asked: list[str] = field(default_factory=list)
    meanwhile: Callable[[], Awaitable[None]] | None = None

    async def judge(self, item: Item) -> float:
        self.asked.append(item.title)
        if self.meanwhile is not None:
            happens, self.meanwhile = self.meanwhile, None
            await happens()
        return self.fine


class Doubts(ItemAgents):
    """The agents of `items` and of the second judge; all that they write is followed at once."""

    def __init__(self) -> None:
        self.oracle = Oracle()
        self.behind = False
        super().__init__(band=BAND)
        self.start(second="oracle-1")

    def start(self, second: str) -> None:
        """Start the worker again; the stores and the log stay."""
        self.model = LetterModel(models=replace(LetterModel().models, second=second))
        self.metrics = Metrics(CollectorRegistry())
        self.follow_with(self.model)
        self.second = AskSecondJudge(
            judge=self.oracle,
            follow=self.follow,
            store=self.assessments,
            outbox=self.outbox,
            replicas=self.replicas,
            settings=QualitySettings(),
            metrics=self.metrics.second_judge,
            owned=lambda: self.owned,
            write_lock=self.assess.write_lock,
            behind=lambda: self.behind,
        )
        self.follow_items.handle(changes(*map(fields, self.store.items.values())))
        self.deliver()

    async def handle(self, *values: Fields | bytes | None) -> None:
        await super().handle(*values)
        self.deliver()

    async def judge(self) -> None:
        await self.second.catch_up()
        self.deliver()

    def judged(self, verdict: str) -> int:
        return total(self.metrics.second_judge.judged, verdict=verdict)


def fields(kept: object) -> Fields:
    assert isinstance(kept, Item)
    return item(kept.item_id, title=kept.title)


@pytest.fixture
def shop() -> Doubts:
    return Doubts()


async def test_only_what_is_in_doubt_is_judged_and_the_item_becomes_shown(shop: Doubts) -> None:
    await shop.handle(item("sure", title="Mug"), item("doubtful", title="Mug?"))
    assert shop.weight("doubtful") == 0.0
    await shop.judge()
    assert shop.oracle.asked == ["Mug?"]
    assert shop.weight("doubtful") > 0
    stored = shop.assessments.stored["doubtful"]
    assert (stored.quality, stored.reasons, stored.judged_by) == (0.875, (), "questions-1+oracle-1")
    assert shop.outbox.vectors_log[PARTITION][-1] == ("doubtful", stored)
    assert shop.judged("now_shown") == 1


async def test_an_item_that_was_shown_becomes_hidden(shop: Doubts) -> None:
    await shop.handle(item("a", title="Mug"))
    shop.assessments.stored["a"] = replace(shop.assessments.stored["a"], quality=0.4)
    await shop.outbox.vectors(PARTITION, {"a": shop.assessments.stored["a"]})
    shop.deliver()
    shop.oracle.fine = 0.01
    await shop.judge()
    assert shop.weight("a") == 0.0
    assert shop.judged("now_hidden") == 1


async def test_a_verdict_that_changes_nothing_is_counted_as_such_and_its_reasons_stay(shop: Doubts) -> None:
    shop.oracle.fine = 0.15
    await shop.handle(item("a", title="Mug?"))
    await shop.judge()
    assert shop.assessments.stored["a"].reasons == ("remark",)
    assert shop.judged("still_hidden") == 1


async def test_nothing_is_judged_twice_not_even_after_a_restart_or_when_the_item_comes_again(shop: Doubts) -> None:
    await shop.handle(item("a", title="Mug?"))
    await shop.second.catch_up()
    await shop.second.catch_up()  # the log has not brought the opinion back yet
    shop.start(second="oracle-1")
    await shop.judge()
    await shop.handle(item("a", title="Mug?", price=3))
    await shop.judge()
    assert shop.oracle.asked == ["Mug?"]
    assert shop.model.asked == []
    assert shop.follow.unassessed() == {}
    assert shop.weight("a") > 0


async def test_what_waited_when_the_worker_stopped_is_found_again(shop: Doubts) -> None:
    await shop.handle(item("a", title="Mug?"), item("b", title="Jug?"))
    shop.start(second="oracle-1")
    assert shop.follow.doubtful({PARTITION}) == {PARTITION: ["a", "b"]}
    await shop.judge()
    assert shop.oracle.asked == ["Mug?", "Jug?"]
    assert shop.follow.doubtful({PARTITION}) == {}
    assert shop.metrics.second_judge.queue._value.get() == 0


async def test_a_text_that_changed_while_it_was_judged_is_judged_again(shop: Doubts) -> None:
    await shop.handle(item("a", title="Mug?"))
    shop.oracle.meanwhile = lambda: shop.handle(item("a", title="Red mug?"))
    await shop.judge()
    assert shop.judged("outdated") == 1
    assert shop.assessments.stored["a"].judged_by == "questions-1"
    await shop.judge()
    assert shop.oracle.asked == ["Mug?", "Red mug?"]
    assert shop.assessments.stored["a"].quality == 0.875


async def test_an_item_that_was_deleted_while_it_was_judged_stays_deleted(shop: Doubts) -> None:
    await shop.handle(item("k0", title="Mug?"))
    shop.oracle.meanwhile = lambda: shop.handle(None)
    await shop.judge()
    assert shop.assessments.stored == {}
    assert shop.follow.doubtful({PARTITION}) == {}


async def test_an_opinion_on_what_another_worker_took_over_is_dropped(shop: Doubts) -> None:
    async def lose() -> None:
        shop.owned.clear()

    await shop.handle(item("a", title="Mug?"))
    shop.oracle.meanwhile = lose
    await shop.judge()
    assert shop.judged("outdated") == 1
    assert shop.assessments.stored["a"].judged_by == "questions-1"


async def test_what_others_own_is_left_to_them(shop: Doubts) -> None:
    await shop.handle(item("a", title="Mug?"))
    shop.owned = {PARTITION + 1}
    await shop.judge()
    assert shop.oracle.asked == []


async def test_an_opinion_that_the_log_never_heard_of_is_sent_without_asking_again(shop: Doubts) -> None:
    await shop.handle(item("a", title="Mug?"))
    shop.outbox.away = True
    with pytest.raises(Away):
        await shop.second.catch_up()
    shop.outbox.away = False
    shop.start(second="oracle-1")
    assert shop.weight("a") == 0.0
    await shop.judge()
    assert shop.oracle.asked == ["Mug?"]
    assert shop.weight("a") > 0


async def test_what_the_store_lost_is_passed_over_until_the_log_brings_it_again(shop: Doubts) -> None:
    await shop.handle(item("a", title="Mug?"))
    shop.assessments.stored.clear()
    await shop.judge()
    assert shop.oracle.asked == []
    assert shop.follow.doubtful({PARTITION}) == {}


@pytest.mark.parametrize("second", ["", "oracle-2"])
async def test_without_the_judge_or_with_another_the_first_verdict_is_asked_for_again(
    shop: Doubts, second: str
) -> None:
    await shop.handle(item("a", title="Mug?"), item("b", title="Mug"))
    await shop.judge()
    shop.start(second=second)
    assert shop.follow.unassessed() == {PARTITION: ["a"]}
    await shop.assess.catch_up()
    shop.deliver()
    assert shop.model.asked == ["Mug?"]
    assert shop.follow.unassessed() == {}
    assert shop.assessments.stored["a"].judged_by == "questions-1"
    assert (shop.follow.doubtful({PARTITION}) != {}) is (second != "")


async def test_items_are_assessed_while_the_judge_thinks(shop: Doubts) -> None:
    await shop.handle(item("a", title="Mug?"))
    shop.oracle.meanwhile = lambda: asyncio.wait_for(shop.handle(item("b", title="Jug")), 10)
    await shop.judge()
    assert shop.weight("b") > 0
    assert shop.weight("a") > 0


async def test_the_judge_rests_while_the_worker_is_behind_the_stream(shop: Doubts) -> None:
    await shop.handle(item("a", title="Mug?"))
    shop.behind = True
    task = asyncio.create_task(shop.judge())
    for _ in range(5):
        await asyncio.sleep(0)
    assert shop.oracle.asked == []
    shop.behind = False
    await asyncio.wait_for(task, 10)
    assert shop.oracle.asked == ["Mug?"]
