"""The hash of an item: what the worker writes is what the worker and look-ups read."""

import pytest

from app.store.item_hash import decode_assessment, decode_item, encode_assessment, encode_change
from headrace.item_fields import ASSESSMENT_FIELDS, CATALOGUE_FIELDS, ENTRY_FIELDS, decode_entry
from models.contract.events import Item
from models.contract.item_codec import Change, Deleted, Withdrawn
from models.quality.assessment import Assessment
from models.quality.repair import Repair
from models.quality.text import QualitySettings

MUG = Item(
    "mug",
    title="Becher für Tee 茶",
    category="Home/Mugs",
    brand="Acme",
    price=0.1,
    currency="EUR",
    url="https://a.example/mug",
)
JUDGED = Assessment("0" * 16, "e1", b"\x00\x3c", "q1+s1", 0.25, ("garbled", "spam"))


def stored(*written: object) -> dict[str, bytes]:
    """The hash after these writes, as Redis returns it."""
    fields: dict[str, bytes] = {}
    for each in written:
        assert isinstance(each, dict)
        fields |= {name: value if isinstance(value, bytes) else str(value).encode() for name, value in each.items()}
    return fields


def values(fields: dict[str, bytes], names: tuple[str, ...]) -> list[bytes | None]:
    return [fields.get(name) for name in names]


@pytest.mark.parametrize(
    "item",
    [MUG, Item("bare", title="Bare"), Item("sold out", title="Gone", available=False), Item("untitled", "", brand="B")],
)
def test_an_item_is_read_back_as_it_was_written(item: Item) -> None:
    assert decode_item(item.item_id, values(stored(encode_change(item)), CATALOGUE_FIELDS)) == item


@pytest.mark.parametrize(("change", "shown"), [(Deleted("mug"), None), (Withdrawn("mug"), False)])
def test_what_went_away_is_marked(change: Change, shown: bool | None) -> None:
    found = decode_item("mug", values(stored(encode_change(MUG), encode_change(change)), CATALOGUE_FIELDS))
    assert (found and found.available) is shown


@pytest.mark.parametrize("assessment", [JUDGED, Assessment("f" * 16)])
def test_an_assessment_is_read_back_as_it_was_written(assessment: Assessment) -> None:
    fields = stored(encode_assessment(assessment, recommendable=True))
    assert tuple(fields) == ASSESSMENT_FIELDS
    assert decode_assessment(values(fields, ASSESSMENT_FIELDS)) == assessment


def test_other_programs_find_who_judged_where_they_always_did() -> None:
    assert stored(encode_assessment(JUDGED, recommendable=True))["judge"] == b"q1+s1"


def test_what_was_withdrawn_and_never_described_is_no_item() -> None:
    assert decode_item("mug", values(stored(encode_change(Withdrawn("mug", 5.0))), CATALOGUE_FIELDS)) is None


def test_a_deletion_removes_the_time_and_a_version_without_one_does_not() -> None:
    assert encode_change(Deleted("mug"))["updated_at"] == ""
    assert encode_change(Item("mug", "Mug", updated_at=5.5))["updated_at"] == "5.5"
    assert "updated_at" not in encode_change(MUG)


def test_look_ups_read_what_catalogue_and_models_wrote() -> None:
    repaired = Repair("title", "encoding", "Ã©", "é", 0.97)
    fields = stored(encode_change(MUG, [repaired]), encode_assessment(JUDGED, recommendable=True))
    assert decode_entry(values(fields, ENTRY_FIELDS)) == {
        "title": "Becher für Tee 茶",
        "category": "Home/Mugs",
        "brand": "Acme",
        "price": 0.1,
        "currency": "EUR",
        "url": "https://a.example/mug",
        "image_url": None,
        "available": True,
        "deleted": False,
        "repairs": ({"field": "title", "rule": "encoding", "before": "Ã©", "after": "é", "confidence": 0.97},),
        "quality": 0.25,
        "reasons": ("garbled", "spam"),
        "recommendable": JUDGED.weight(QualitySettings()) > 0,
        "known": True,
    }
