"""Assess items: each text once, the log before the store, and all that was left undone, again."""

import asyncio

import pytest
from assessing import PARTITION, ItemAgents, changes, vectors
from builders import NOW, Fields, batch, item
from fakes import Away, LetterModel

from agents.assess import ITEMS_AT_ONCE
from agents.metrics import total
from models.contract.events import Item, RawBatch
from models.contract.outcome import Reason
from models.quality.assessment import Assessment, Models


@pytest.fixture
def shop() -> ItemAgents:
    return ItemAgents()


async def test_an_item_s_assessment_goes_to_the_log_and_then_to_the_store(shop: ItemAgents) -> None:
    await shop.handle(item("a", title="Mug"))
    assert [key for key, _ in shop.outbox.vectors_log[PARTITION]] == ["a"]
    assert shop.assessments.stored["a"].quality == 0.75
    assert [each for each in shop.diary.entries if each != "quarantine"] == ["store", "vectors", "assessments"]


async def test_the_item_is_readable_while_the_model_still_thinks(shop: ItemAgents) -> None:
    shop.model.gate = asyncio.Event()
    task = asyncio.create_task(shop.handle(item("a")))
    async with asyncio.timeout(10):
        while "a" not in shop.store.items:
            await asyncio.sleep(0)
        assert shop.assessments.stored == {}
        shop.model.gate.set()
        await task
    assert "a" in shop.assessments.stored


async def test_an_unchanged_text_is_neither_asked_about_nor_sent_again(shop: ItemAgents) -> None:
    await shop.handle(item("a", title="Mug"))
    shop.deliver()
    await shop.handle(item("a", title="Mug", price=5, available=False))
    assert shop.model.asked == ["Mug"]
    assert len(shop.outbox.vectors_log[PARTITION]) == 1
    assert shop.assessments.vectors["a"].available is False
    assert total(shop.metrics.assessed, outcome="unchanged") == 1


async def test_what_is_withdrawn_keeps_its_vector_and_is_marked_there(shop: ItemAgents) -> None:
    off: Fields = {"item_id": "a", "available": False}
    await shop.handle(item("a", title="Mug"))
    shop.deliver()
    await shop.handle(off, {"item_id": "unheard of", "available": False})
    assert shop.model.asked == ["Mug"]
    assert shop.assessments.vectors == {"a": Item("a", "Mug", available=False)}
    assert shop.weight("a") == 0.0
    await shop.handle(item("b", title="Cup"), {"item_id": "b", "available": False})
    assert shop.assessments.vectors["b"] == Item("b", "Cup", available=False)


async def test_what_is_on_sale_again_is_marked_beside_its_vector(shop: ItemAgents) -> None:
    await shop.handle(item("a", title="Mug", available=False))
    shop.deliver()
    await shop.handle({"item_id": "a", "available": True})
    assert shop.model.asked == ["Mug"]
    assert shop.assessments.vectors == {"a": Item("a", "Mug", available=True)}
    assert shop.weight("a") == 1.0


async def test_what_is_deleted_and_then_withdrawn_is_forgotten(shop: ItemAgents) -> None:
    await shop.handle(item("k0", title="Mug"))
    shop.deliver()
    await shop.handle(None, {"item_id": "k0", "available": False})
    assert shop.assessments.vectors == {}
    assert shop.follow.unassessed() == {}


async def test_what_the_log_lost_is_sent_again_without_asking(shop: ItemAgents) -> None:
    await shop.handle(item("a", title="Mug"))
    await shop.handle(item("a", title="Mug"))
    assert shop.model.asked == ["Mug"]
    assert [key for key, _ in shop.outbox.vectors_log[PARTITION]] == ["a", "a"]


async def test_of_an_item_s_changes_in_a_batch_only_the_last_is_assessed(shop: ItemAgents) -> None:
    await shop.handle(item("a", title="Mug"), item("a", title="Cup"), item("k3", title="Jug"), None)
    assert shop.model.asked == ["Cup", "Mug", "Cup"]  # which is worse; then the last one
    assert dict(shop.outbox.vectors_log[PARTITION])["k3"] is None


async def test_a_large_batch_is_assessed_whole_and_in_order(shop: ItemAgents) -> None:
    titles = [f"Mug number {number}" for number in range(2 * ITEMS_AT_ONCE + 1)]
    await shop.handle(*(item(title, title=title) for title in titles))
    assert shop.model.asked == titles
    assert list(shop.assessments.stored) == [key for key, _ in shop.outbox.vectors_log[PARTITION]] == titles


async def test_a_deleted_item_loses_vector_and_verdict(shop: ItemAgents) -> None:
    await shop.handle(item("k0", title="Mug?"))
    shop.deliver()
    await shop.handle(None)
    shop.deliver()
    assert shop.assessments.stored == {}
    assert not shop.recommender.meaning.vectors.has(shop.recommender.items.number("k0"))
    await shop.handle(item("k0", title="Mug?"))
    assert shop.model.asked == ["Mug?", "Mug?"]


async def test_an_item_without_a_title_is_neither_judged_nor_embedded_and_may_be_shown(shop: ItemAgents) -> None:
    await shop.handle({"item_id": "a", "category": "Home"}, item("b", title="Mug"))
    shop.deliver()
    assert shop.model.asked == ["Mug"]
    assert (shop.assessments.stored["a"].quality, shop.assessments.stored["a"].vector) == (None, b"")
    assert set(shop.assessments.vectors) == {"b"}
    assert shop.follow.unassessed() == {}
    assert shop.weight("a") == 1.0
    assert total(shop.metrics.assessed, outcome="untitled") == 1


async def test_an_item_that_loses_its_title_loses_vector_and_verdict_and_gets_them_back(shop: ItemAgents) -> None:
    await shop.handle(item("a", title="Mug?"))
    shop.deliver()
    assert shop.weight("a") == 0.0
    await shop.handle({"item_id": "a"})
    shop.deliver()
    assert shop.weight("a") == 1.0
    assert shop.assessments.vectors == {}
    assert not shop.recommender.meaning.vectors.has(shop.recommender.items.number("a"))
    await shop.handle(item("a", title="Mug?"))
    shop.deliver()
    assert shop.weight("a") == 0.0
    assert set(shop.assessments.vectors) == {"a"}


async def test_an_outdated_version_leaves_the_attributes_beside_the_vector(shop: ItemAgents) -> None:
    await shop.handle(item("a", title="Mug", price=9, updated_at=NOW))
    shop.deliver()
    await shop.handle(item("a", title="Mug", price=5, updated_at=NOW - 60))
    assert shop.assessments.vectors["a"].price == 9


async def test_an_outdated_version_behind_a_newer_one_does_not_hide_it_from_the_models(shop: ItemAgents) -> None:
    await shop.handle(item("a", title="Mug", price=5, updated_at=NOW - 90))
    await shop.handle(
        item("a", title="Cup", price=9, updated_at=NOW), item("a", title="Mug", price=5, updated_at=NOW - 60)
    )
    assert shop.assessments.vectors["a"].price == 9


async def test_while_the_store_is_away_nothing_counts_as_done(shop: ItemAgents) -> None:
    shop.store.away = True
    with pytest.raises(Away):
        await shop.handle(item("a"))
    assert shop.assessments.stored == {}
    assert total(shop.metrics.assessed) == 0


async def test_a_follower_weights_by_quality_and_hides_what_is_bad(shop: ItemAgents) -> None:
    await shop.handle(item("good", title="Mug"), item("bad", title="Mug?"), item("off", available=False))
    shop.deliver()
    assert [shop.weight(each) for each in ("good", "bad", "off")] == [1.0, 0.0, 0.0]
    assert shop.gone == ["off", "bad"]
    assert total(shop.metrics.assessed, outcome="low_quality") == 1
    assert total(shop.metrics.defects, defect="remark") == 1
    await shop.handle(item("bad", title="Mug, red"))
    shop.deliver()
    assert shop.weight("bad") == 1.0


async def test_a_follower_hands_vectors_to_the_recommender_and_tells_what_arrived(shop: ItemAgents) -> None:
    await shop.handle(item("a", title="aaa"), item("b", title="aab"), item("z", title="zzz"))
    shop.deliver()
    assert shop.arrived == ["a", "b", "z"]
    assert shop.recommender.similar("a", 2).item_ids[0] == "b"


@pytest.mark.parametrize(
    "record",
    [
        vectors(("a", Assessment("00" * 8, "letters-1", b"\x00\x7e" * 26))),
        vectors(("a", Assessment("00" * 8, "letters-1", b"123"))),
        vectors(("a", Assessment("00" * 8, "other", b"\x00\x3c" * 26))),
        vectors(("a", Assessment("00", "letters-1", b"\x00\x3c" * 26))),
        vectors(("a", Assessment("no hash", "letters-1", b""))),
        vectors(("a", Assessment("00" * 8, quality=7.0))),
    ],
    ids=["not a number", "another length", "another model", "short hash", "no hash", "no score"],
)
async def test_a_follower_passes_over_what_is_not_of_its_models(shop: ItemAgents, record: RawBatch) -> None:
    shop.follow.handle(record)
    assert len(shop.recommender.meaning.vectors) == 0
    assert shop.weight("a") == 1.0


async def test_records_without_headers_are_passed_over(shop: ItemAgents) -> None:
    raw = vectors(("a", LetterModel().say(shop_item())))
    shop.follow.handle(RawBatch(raw.topic, raw.partition, raw.offsets, raw.times, [b"\xff"], [b"x"], headers=[[]]))
    assert len(shop.recommender.meaning.vectors) == 0


def shop_item() -> Item:
    return Item("a", "Mug")


async def test_another_model_assesses_the_whole_catalogue_in_the_background(shop: ItemAgents) -> None:
    await shop.handle(item("a", title="Mug"), item("b", title="Jug"), item("k3"), None)
    shop.deliver()
    before = shop.recommender.catalogue.snapshot()
    newer = LetterModel(models=Models("letters-2", "questions-1", 26))
    shop.follow_with(newer)
    shop.follow_items.handle(changes(item("a", title="Mug"), item("b", title="Jug")))
    shop.deliver()
    assert shop.follow.unassessed() == {PARTITION: ["a", "b"]}
    assert shop.follow.any_unassessed()
    assert len(shop.recommender.meaning.vectors) == 0

    await shop.assess.catch_up()
    shop.deliver()

    assert newer.asked == ["Mug", "Jug"]
    assert shop.follow.unassessed() == {}
    assert not shop.follow.any_unassessed()
    assert {each.embedding for each in shop.assessments.stored.values()} == {"letters-2"}
    assert shop.recommender.meaning.vectors.model == "letters-2"
    assert len(before["partition"]) == len(shop.recommender.catalogue.partition)


async def test_what_others_own_is_left_to_them(shop: ItemAgents) -> None:
    shop.follow_items.handle(batch(item("a"), topic="items", partition=PARTITION + 1))
    await shop.assess.catch_up()
    assert shop.model.asked == []
    assert shop.follow.unassessed() == {PARTITION + 1: ["a"]}
    assert shop.follow.any_unassessed()


async def test_the_store_is_told_when_everything_is_assessed(shop: ItemAgents) -> None:
    await shop.handle(item("a"))
    await shop.assess.catch_up()
    assert shop.assessments.completed == 0  # the log has not brought it back yet
    shop.deliver()
    shop.replicas.behind = True
    await shop.assess.catch_up()
    assert shop.assessments.completed == 0
    shop.replicas.behind = False
    await shop.assess.catch_up()
    assert shop.assessments.completed == 1


async def test_a_store_that_lost_everything_gets_it_back_without_asking_the_models(shop: ItemAgents) -> None:
    await shop.handle(item("a", title="Mug"), item("b", title="Wow?"), item("c", title="Jug"))
    await shop.handle(item("c", title="Cup"), item("k1", title="Pot"), None)
    shop.deliver()
    before = dict(shop.assessments.stored)
    asked, sent = list(shop.model.asked), shop.delivered
    shop.assessments.stored.clear()
    shop.assessments.vectors.clear()
    await shop.assess.remember(vectors(*shop.outbox.vectors_log[PARTITION]))
    found = await shop.assess.restore(PARTITION)
    assert shop.assessments.stored == before
    assert set(found) == set(shop.assessments.vectors) == {"a", "b", "c", "k1"}
    assert (shop.model.asked, len(shop.outbox.vectors_log[PARTITION])) == (asked, sent)


async def test_assessments_of_other_models_are_not_brought_back(shop: ItemAgents) -> None:
    await shop.handle(item("a", title="Mug"))
    shop.assessments.stored.clear()
    shop.follow_with(LetterModel(Models("letters-2", "questions-1", shop.model.models.dimension)))
    await shop.assess.remember(vectors(*shop.outbox.vectors_log[PARTITION]))
    assert shop.assessments.stored == {}


async def test_what_the_model_takes_for_a_remark_does_not_replace_a_good_title(shop: ItemAgents) -> None:
    await shop.handle(item("a", title="Mug", price=2), item("b", title="Jug?"))
    await shop.handle(item("a", title="Mug?", price=3), item("b", title="Cup?"))
    stored = [shop.store.items[each] for each in ("a", "b")]
    assert [(each.title, each.price) for each in stored if isinstance(each, Item)] == [("Mug", 3), ("Cup?", None)]
    [rejected] = shop.outbox.quarantined
    assert (rejected.reason, rejected.offset, rejected.detail) == (
        Reason.WORSE_THAN_BEFORE,
        0,
        "the title is remark; 'Mug' is kept",
    )
    shop.deliver()
    assert (shop.weight("a"), shop.weight("b")) == (1.0, 0.0)


async def test_a_good_title_outlives_an_emptied_store_and_the_compaction_of_its_record(shop: ItemAgents) -> None:
    await shop.handle(item("a", title="Mug"), item("b", title="Jug"))
    await shop.handle(item("a", title="Mug?"), item("b", title="Pot"))
    shop.store.items.clear()
    shop.store.places.clear()
    shop.store.kept.clear()
    await shop.assess.remember(vectors(*shop.outbox.vectors_log[PARTITION]))
    await shop.handle(item("a", title="Mug?"))
    stored = shop.store.items["a"]
    assert isinstance(stored, Item)
    assert stored.title == "Mug"
