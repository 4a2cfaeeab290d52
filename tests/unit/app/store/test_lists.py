"""Lists out of raw Redis values, as JSON and as objects."""

import orjson
import pytest

from headrace.errors import UnreadableAnswer
from headrace.lists import (
    KNOWN_FIELDS,
    KnownItem,
    ListedItem,
    RecommendationList,
    decode_known,
    decode_list,
    decode_near,
    decode_ranked,
    decode_similar,
    listed_items,
    shown_rows,
    trending_list,
)

STORED = {
    "user_id": "u1",
    "items": [{"item_id": "a", "score": 0.5, "source": "neighbours"}],
    "event_ts": 1.5,
    "generated_at": 2.5,
    "model": "vmis-knn",
}


def test_a_stored_list_is_read_field_by_field() -> None:
    found = decode_list(orjson.dumps(STORED))
    assert found.entries == [("a", 0.5, "neighbours")]
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
    assert decode_similar(orjson.dumps(STORED["items"])) == [("a", 0.5, "neighbours")]
    assert decode_similar(None) == []
    with pytest.raises(UnreadableAnswer):
        decode_similar(b'{"item_id": "a"}')


def known_values(**said: bytes) -> list[bytes | None]:
    return [said.get(name) for name in KNOWN_FIELDS]


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
    assert decode_known(known_values(**said)).shown is shown


def test_a_list_shows_what_the_catalogue_has_and_leaves_out_what_it_has_not() -> None:
    title = "Wasserkocher für Tee 茶"
    item = decode_known(known_values(title=title.encode(), brand=b"", price=b"19.90", available=b"1", quality=b"0.5"))
    assert item == KnownItem({"title": title, "price": 19.9}, shown=True, known=True)


@pytest.mark.parametrize("said", [{"price": b"cheap"}, {"title": b"\xff\xfe"}])
def test_an_item_that_headrace_did_not_write_makes_a_list_unreadable(said: dict[str, bytes]) -> None:
    with pytest.raises(UnreadableAnswer):
        decode_known(known_values(**said))


def test_the_first_k_that_may_be_shown_are_listed() -> None:
    known = {
        "gone": KnownItem({}, shown=False, known=True),
        "a": KnownItem({"title": "A"}, shown=True, known=True),
        "b": KnownItem({}, shown=True, known=False),
        "c": KnownItem({}, shown=True, known=False),
    }
    entries = [(item_id, 1.0, "neighbours") for item_id in known]
    rows = shown_rows(entries, known, 2, known_only=False)
    assert listed_items(rows) == (ListedItem("a", 1.0, "neighbours", title="A"), ListedItem("b", 1.0, "neighbours"))
    rows = shown_rows(entries, known, 2, known_only=True)
    assert listed_items(rows) == (ListedItem("a", 1.0, "neighbours", title="A"),)


@pytest.mark.parametrize(
    ("said", "known"), [({}, False), ({"title": b"Kettle"}, True), ({"available": b"0", "deleted": b"1"}, True)]
)
def test_an_item_is_known_when_the_catalogue_ever_had_it(said: dict[str, bytes], known: bool) -> None:
    assert decode_known(known_values(**said)).known is known


def test_a_list_is_written_in_the_contracts_order() -> None:
    known = {"a": KnownItem({"title": "Ä", "price": 1.5}, shown=True, known=True)}
    stored = decode_list(orjson.dumps(STORED))
    assert (
        RecommendationList(stored, shown_rows(stored.entries, known, 5, known_only=False)).as_json()
        == (
            '{"user_id":"u1","items":[{"item_id":"a","score":0.5,"source":"neighbours","title":"Ä","price":1.5}],'
            '"event_ts":1.5,"generated_at":2.5,"model":"vmis-knn"}'
        ).encode()
    )


def test_the_trending_list_has_no_times() -> None:
    body = orjson.loads(RecommendationList(trending_list("u", [("a", 2.0)]), []).as_json())
    assert body == {"user_id": "u", "items": [], "event_ts": None, "generated_at": None, "model": "trending"}


@pytest.mark.parametrize("reply", [[b"a", b"2.5", b"b", b"1"], [[b"a", 2.5], [b"b", 1.0]]])
def test_scores_are_read_from_both_redis_protocols(reply: list[object]) -> None:
    assert decode_ranked(reply) == (("a", 2.5), ("b", 1.0))
    assert decode_ranked([]) == ()


@pytest.mark.parametrize(
    "reply",
    [{b"a": 1.0, b"b": 0.75}, [b"a", b"1.0", b"b", b"0.75"], [[b"a", 1.0], [b"b", 0.75]], {"a": "1.0", "b": "0.75"}],
    ids=["map", "flat", "pairs", "text"],
)
def test_what_is_near_an_item_is_read_in_every_form_and_leaves_the_item_out(reply: object) -> None:
    assert decode_near("a", reply) == [("b", 0.5, "semantic")]


@pytest.mark.parametrize("reply", [None, [], {}])
def test_an_item_without_a_vector_has_nothing_near(reply: object) -> None:
    assert decode_near("a", reply) == []
