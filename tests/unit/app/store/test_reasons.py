"""Why an item is listed: an item of the user is named only where the stored data lead from it."""

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from headrace.errors import UnreadableAnswer
from headrace.lists import KnownItem, Reason, Row
from headrace.reasons import IN_GENERAL, Grounds, Link, decode_links, reason_of

NOTHING: dict[str, Link] = {}


def known(**fields: str) -> KnownItem:
    return KnownItem(dict(fields), shown=True, known=True)


def grounds(*recent: str, **links: dict[str, Link]) -> Grounds:
    items = {each: known(title=each.title()) for each in recent}
    return Grounds(recent, links, items)


def row(item_id: str, source: str, **fields: str) -> Row:
    return {"item_id": item_id, "score": 1.0, "source": source, **fields}


def test_a_neighbour_names_the_item_that_shares_most_sessions() -> None:
    found = reason_of(
        row("cup", "neighbours"),
        grounds("kettle", "pot", kettle={"cup": Link("neighbours", 3)}, pot={"cup": Link("neighbours", 9)}),
    )
    assert found == Reason("because of Pot: 9 sessions have both", "pot", "Pot", 9)


def test_a_newer_item_is_named_before_an_older_one_that_shares_a_few_sessions_more() -> None:
    found = reason_of(
        row("cup", "transitions"),
        grounds("kettle", "pot", kettle={"cup": Link("semantic", 1)}, cup={"pot": Link("neighbours", 1)}),
    )
    assert found == Reason("because of Kettle: 1 session has both", "kettle", "Kettle", 1)


def test_a_link_from_the_listed_item_counts_too() -> None:
    found = reason_of(row("cup", "neighbours"), grounds("kettle", cup={"kettle": Link("neighbours", 14)}))
    assert found == Reason("because of Kettle: 14 sessions have both", "kettle", "Kettle", 14)


def test_an_item_found_by_meaning_names_the_newest_that_is_similar_in_meaning() -> None:
    links = {"kettle": {"cup": Link("neighbours", 5)}, "pot": {"cup": Link("semantic", 0)}}
    found = reason_of(row("cup", "semantic"), grounds("kettle", "pot", "pan", **links, pan=links["pot"]))
    assert found == Reason("because of Pot: similar in meaning", "pot", "Pot")


def test_an_item_of_a_category_names_the_newest_item_of_the_same_category() -> None:
    items = {"hat": known(category="Hats"), "kettle": known(title="Kettle", category="Kitchen")}
    found = reason_of(row("cup", "category", category="Kitchen"), Grounds(["hat", "kettle"], {}, items))
    assert found == Reason("because of Kettle: trending in Kitchen", "kettle", "Kettle")


def test_an_item_of_a_brand_names_the_last_item_and_no_earlier_one() -> None:
    items = {"hat": known(brand="Moss"), "kettle": known(brand="Acme")}
    acme, moss = row("cup", "brand", brand="Acme"), row("cap", "brand", brand="Moss")
    assert reason_of(acme, Grounds(["hat", "kettle"], {}, items)) == Reason(IN_GENERAL["brand"])
    assert reason_of(moss, Grounds(["hat", "kettle"], {}, items)).because_of == "hat"


@pytest.mark.parametrize("source", ["neighbours", "semantic", "category", "transitions", "brand", "trending", "new"])
def test_without_a_link_no_item_is_named(source: str) -> None:
    found = reason_of(row("cup", source), grounds("kettle", kettle={"pan": Link("neighbours", 5)}))
    assert found == Reason(IN_GENERAL.get(source, "found by new"))


def test_similar_items_of_an_older_version_have_no_count_and_are_no_reason() -> None:
    links = decode_links(orjson.dumps([{"item_id": "cup", "score": 1.0, "source": "neighbours"}]))
    assert links == {"cup": Link("neighbours", 0)}
    assert reason_of(row("cup", "neighbours"), grounds("kettle", kettle=links)).because_of is None


@pytest.mark.parametrize("raw", [b"{", b"[1]", b'[{"item_id":"a"}]', b"7"])
def test_what_another_program_wrote_is_said(raw: bytes) -> None:
    with pytest.raises(UnreadableAnswer, match="not what Headrace writes"):
        decode_links(raw)


LINKS = st.dictionaries(
    st.sampled_from("abcd"),
    st.dictionaries(
        st.sampled_from("abcd"), st.builds(Link, st.sampled_from(["neighbours", "semantic"]), st.integers(0, 3))
    ),
)


@given(st.lists(st.sampled_from("abcd"), unique=True), LINKS, st.sampled_from("abcd"), st.sampled_from([*IN_GENERAL]))
def test_a_reason_says_no_more_than_the_stored_data(
    recent: list[str], links: dict[str, dict[str, Link]], item_id: str, source: str
) -> None:
    found = reason_of(row(item_id, source), Grounds(recent, links, {each: known() for each in recent}))
    if found.because_of is None:
        assert (found.text, found.sessions) == (IN_GENERAL[source], None)
        return
    assert found.because_of in recent
    between = [
        links.get(start, NOTHING).get(end) for start, end in ((found.because_of, item_id), (item_id, found.because_of))
    ]
    if found.sessions is None:
        assert any(link is not None and link.source == "semantic" for link in between)
    else:
        assert found.sessions == max(link.sessions for link in between if link is not None)
