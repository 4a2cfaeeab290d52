"""Assess what another worker left undone, and what two workers assess at the same time."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field

import pytest
from assessing import PARTITION, ItemAgents, changes
from builders import Fields, item
from fakes import Away, LetterModel

from agents.assess import ITEMS_AT_ONCE
from agents.catalogue import KeepCatalogue
from agents.metrics import total
from models.contract.events import Item
from models.quality.assessment import Assessment


@dataclass
class Interrupted(LetterModel):
    """A model that lets something else happen during its first answer."""

    meanwhile: list[Callable[[], Awaitable[None]]] = field(default_factory=list)

    async def assess(self, items: Sequence[Item]) -> list[Assessment]:
        if self.meanwhile:
            await self.meanwhile.pop()()
        return await super().assess(items)


async def stocked(shop: ItemAgents, *items: Fields | None) -> None:
    """Put the items into the log and the store; no model has read them."""
    raw = changes(*items)
    shop.follow_items.handle(raw)
    await KeepCatalogue(shop.keep.events, shop.store, shop.outbox, shop.metrics).handle(raw)


async def start_again(shop: ItemAgents, *items: Fields) -> None:
    """Start a new worker that reads both logs from their beginnings, and let it catch up."""
    shop.follow_with(shop.model)
    shop.follow_items.handle(changes(*items))
    for _ in range(2):
        shop.deliver()
        await shop.assess.catch_up()


async def test_a_new_owners_assessment_of_a_newer_text_is_not_overwritten() -> None:
    model, heir = Interrupted(), ItemAgents()
    shop = ItemAgents(model)
    heir.store, heir.assessments, heir.outbox = shop.store, shop.assessments, shop.outbox
    heir.follow_with(heir.model)
    model.meanwhile.append(lambda: heir.handle(item("a", title="New")))
    await stocked(shop, item("a", title="Old"))
    await shop.assess.catch_up()
    assert model.asked == ["Old"]
    assert shop.assessments.stored["a"] == model.say(Item("a", "New"))
    assert all(sent == model.say(Item("a", "New")) for _, sent in shop.outbox.vectors_log[PARTITION])


async def test_an_assessment_that_another_worker_came_before_is_refused_and_what_is_stored_stays() -> None:
    model, heir = Interrupted(), ItemAgents()
    shop = ItemAgents(model)
    heir.store, heir.assessments, heir.outbox = shop.store, shop.assessments, shop.outbox
    heir.follow_with(heir.model)
    model.meanwhile.append(lambda: heir.handle(item("a", title="Mug", price=5)))
    await shop.handle(item("a", title="Mug"))
    assert total(shop.metrics.refused_writes, what="assessment") == 1
    assert model.asked == ["Mug"], "the refused one is not asked about again: the other's is stored"
    assert shop.assessments.stored["a"] == model.say(Item("a", "Mug"))
    assert shop.assessments.vectors["a"].price == 5


async def test_what_was_deleted_while_no_models_ran_is_forgotten() -> None:
    shop = ItemAgents()
    await shop.handle(item("k0", title="Mug"), item("b", title="Saw"))
    await stocked(shop, None)
    shop.follow_with(shop.model)
    shop.follow_items.handle(changes(item("k0", title="Mug"), item("b", title="Saw")))
    shop.follow_items.handle(changes(None))
    shop.deliver()
    await shop.assess.catch_up()
    assert (set(shop.assessments.vectors), set(shop.assessments.stored)) == ({"b"}, {"b"})
    assert shop.outbox.vectors_log[PARTITION][2:] == [("k0", None)]
    shop.deliver()
    assert shop.follow.left_over(PARTITION) == []


async def test_what_is_stored_is_not_forgotten_though_this_worker_has_not_read_of_it_yet() -> None:
    shop = ItemAgents()
    await shop.handle(item("a", title="Mug"))
    shop.follow_with(shop.model)
    shop.deliver()
    await shop.assess.catch_up()
    assert shop.follow.left_over(PARTITION) == ["a"]
    assert "a" in shop.assessments.vectors
    assert len(shop.outbox.vectors_log[PARTITION]) == 1


async def test_a_partition_that_moved_away_is_left_to_its_new_owner() -> None:
    model = Interrupted()
    shop = ItemAgents(model)

    async def moves() -> None:
        shop.owned.clear()

    model.meanwhile.append(moves)
    await stocked(shop, *(item(f"i{number}", title="Mug") for number in range(3 * ITEMS_AT_ONCE)))
    await shop.assess.catch_up()
    assert len(model.asked) == ITEMS_AT_ONCE


async def test_what_changed_while_there_were_no_models_is_assessed_when_they_are_back() -> None:
    shop = ItemAgents()
    await shop.handle(item("a", title="Mug"), item("b", title="Cup"))
    await stocked(shop, item("a", title="Power drill"))
    await start_again(shop, item("a", title="Power drill"), item("b", title="Cup"))
    assert shop.model.asked == ["Mug", "Cup", "Power drill"]
    assert shop.assessments.stored["a"] == shop.model.say(Item("a", "Power drill"))


async def test_what_a_worker_sent_and_did_not_store_before_it_ended_is_stored_by_the_next() -> None:
    shop = ItemAgents()
    await stocked(shop, item("a", title="Mug"))
    shop.store.away = True
    with pytest.raises(Away):
        await shop.assess.catch_up()
    assert [item_id for item_id, _ in shop.outbox.vectors_log[PARTITION]] == ["a"]
    shop.store.away = False
    await start_again(shop, item("a", title="Mug"))
    assert shop.assessments.stored["a"] == shop.model.say(Item("a", "Mug"))
    assert "a" in shop.assessments.vectors


async def test_every_part_of_a_batch_counts_as_progress() -> None:
    shop = ItemAgents()
    done: list[int] = []
    shop.follow_with(shop.model, lambda: done.append(len(shop.assessments.stored)))
    await shop.handle(*(item(f"i{number}", title="Mug") for number in range(2 * ITEMS_AT_ONCE)))
    assert done[-1] == 2 * ITEMS_AT_ONCE
    assert ITEMS_AT_ONCE in done
