"""Raw Redis values to answers."""

import orjson
import pytest

from app.store.answers import (
    CatalogueEntry,
    ListedItem,
    WorkerFigures,
    decode_history,
    decode_item,
    decode_list,
    decode_near,
    decode_ranked,
    decode_similar,
    decode_worker,
    shown_items,
    sum_figures,
)
from app.store.connection import UnreadableAnswer
from app.store.item_fields import ENTRY_FIELDS

STORED = {
    "user_id": "u1",
    "items": [{"item_id": "a", "score": 0.5, "source": "neighbours"}],
    "event_ts": 1.5,
    "generated_at": 2.5,
    "model": "vmis-knn",
}


def test_a_stored_list_is_read_field_by_field() -> None:
    found = decode_list(orjson.dumps(STORED))
    assert found.items == (ListedItem("a", 0.5, "neighbours"),)
    assert (found.user_id, found.event_ts, found.generated_at, found.model) == ("u1", 1.5, 2.5, "vmis-knn")


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"\xff",
        b"null",
        b"[]",
        b"{}",
        orjson.dumps({**STORED, "items": None}),
        orjson.dumps({**STORED, "items": [{"item_id": "a"}]}),
        orjson.dumps({**STORED, "items": ["a"]}),
    ],
)
def test_a_list_that_headrace_did_not_write_is_unreadable(raw: bytes) -> None:
    with pytest.raises(UnreadableAnswer, match="not what Headrace writes"):
        decode_list(raw)


def test_neighbours_are_read_in_order_and_none_are_none() -> None:
    assert decode_similar(orjson.dumps(STORED["items"])) == (ListedItem("a", 0.5, "neighbours"),)
    assert decode_similar(None) == ()
    with pytest.raises(UnreadableAnswer):
        decode_similar(b'{"item_id": "a"}')


def item_values(**said: bytes) -> list[bytes | None]:
    return [said.get(name) for name in ENTRY_FIELDS]


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ({}, True),
        ({"title": b"Kettle"}, True),
        ({"title": b"Kettle", "available": b"1"}, True),
        ({"title": b"Kettle", "available": b"0"}, False),
        ({"available": b"0", "deleted": b"1"}, False),
        ({"deleted": b"1"}, False),
        ({"title": b"Kettle", "quality": b"0.2", "recommendable": b"1"}, True),
        ({"title": b"WIN WIN WIN", "available": b"1", "recommendable": b"0"}, False),
    ],
)
def test_only_an_item_known_to_be_gone_or_defective_is_not_shown(said: dict[str, bytes], shown: bool) -> None:
    assert decode_item("i", item_values(**said)).shown(known_only=False) is shown


def test_an_item_keeps_its_unicode_and_its_price() -> None:
    entry = decode_item("i", item_values(title="Wasserkocher für Tee 茶".encode(), price=b"19.90", currency=b"EUR"))
    assert (entry.title, entry.price, entry.currency, entry.brand) == ("Wasserkocher für Tee 茶", 19.9, "EUR", None)


@pytest.mark.parametrize("said", [{"price": b"cheap"}, {"title": b"\xff\xfe"}])
def test_an_item_that_headrace_did_not_write_is_unreadable(said: dict[str, bytes]) -> None:
    with pytest.raises(UnreadableAnswer):
        decode_item("i", item_values(**said))


@pytest.mark.parametrize(
    ("said", "shown"),
    [({}, False), ({"title": b"Kettle"}, True), ({"title": b"Kettle", "available": b"0"}, False)],
)
def test_where_only_known_items_are_listed_one_without_an_entry_is_not_shown(
    said: dict[str, bytes], shown: bool
) -> None:
    assert decode_item("i", item_values(**said)).shown(known_only=True) is shown


def test_shown_items_are_the_first_k_that_may_be_shown() -> None:
    catalogue = {
        "gone": CatalogueEntry("gone", deleted=True, available=False),
        "a": CatalogueEntry("a", title="A", known=True),
        "b": CatalogueEntry("b"),
        "c": CatalogueEntry("c"),
    }
    ranked = [ListedItem(item_id, 1.0, "neighbours") for item_id in catalogue]
    assert shown_items(ranked, catalogue, 2, known_only=False) == (
        ListedItem("a", 1.0, "neighbours", title="A"),
        ListedItem("b", 1.0, "neighbours"),
    )
    assert shown_items(ranked, catalogue, 2, known_only=True) == (ListedItem("a", 1.0, "neighbours", title="A"),)


@pytest.mark.parametrize("reply", [[b"a", b"2.5", b"b", b"1"], [[b"a", 2.5], [b"b", 1.0]]])
def test_scores_are_read_from_both_redis_protocols(reply: list[object]) -> None:
    assert decode_ranked(reply) == (("a", 2.5), ("b", 1.0))
    assert decode_ranked([]) == ()


def test_a_profile_is_read_and_a_missing_one_is_none() -> None:
    history = decode_history("u", b'[["a", 12.5, "view"]]', b'{"view": 1.0, "at": 12.5}')
    assert history is not None
    assert [(row.item_id, row.ts, row.kind) for row in history.recent] == [("a", 12.5, "view")]
    assert history.counts == {"view": 1.0}
    assert decode_history("u", None, None) is None


@pytest.mark.parametrize("recent", [b"7", b"[1]", b'[["a"]]', b"nonsense"])
def test_a_profile_that_headrace_did_not_write_is_unreadable(recent: bytes) -> None:
    with pytest.raises(UnreadableAnswer):
        decode_history("u", recent, b"{}")


def test_a_workers_unknown_figures_are_ignored_and_missing_ones_are_defaults() -> None:
    worker = decode_worker(b'{"worker_id": "w", "ts": 5, "accepted": 7, "invented_later": 1}')
    assert worker == WorkerFigures("w", 5, accepted=7)
    for raw in (b"[]", b"{}", b"x"):
        with pytest.raises(UnreadableAnswer):
            decode_worker(raw)


def test_no_workers_add_up_to_nothing() -> None:
    nothing = sum_figures([])
    assert (nothing.accepted, nothing.freshness_p50, nothing.lag, nothing.workers) == (0, None, None, ())


@pytest.mark.parametrize(
    "reply",
    [{b"a": 1.0, b"b": 0.75}, [b"a", b"1.0", b"b", b"0.75"], [[b"a", 1.0], [b"b", 0.75]], {"a": "1.0", "b": "0.75"}],
    ids=["map", "flat", "pairs", "text"],
)
def test_what_is_near_an_item_is_read_in_every_form_and_leaves_the_item_out(reply: object) -> None:
    assert decode_near("a", reply) == (ListedItem("b", 0.5, "semantic"),)


@pytest.mark.parametrize("reply", [None, [], {}])
def test_an_item_without_a_vector_has_nothing_near(reply: object) -> None:
    assert decode_near("a", reply) == ()
