"""The catalogue summed up."""

from app.web.summary import CatalogueSummary
from headrace.answers import CatalogueEntry
from headrace.item_fields import RepairFields


def test_fields_that_lack_and_hidden_items_are_counted() -> None:
    summary = CatalogueSummary()
    summary.add(CatalogueEntry("a", title="A", price=1.0, known=True))
    summary.add(CatalogueEntry("b", title="B", category="c", available=False, recommendable=False, known=True))
    summary.add(CatalogueEntry("c", recommendable=False, reasons=("spam", "garbled"), known=True))
    counts = summary.as_json(is_whole=False)
    assert (counts["items"], counts["unavailable"], counts["hidden_by_text"], counts["is_whole"]) == (3, 1, 1, False)
    assert counts["have"] == {"title": 2, "category": 1, "brand": 0, "price": 1, "url": 0, "image_url": 0}
    assert counts["reasons"] == {"spam": 1, "garbled": 1}


def test_quality_goes_into_bins_of_two_hundredths_and_1_into_the_last() -> None:
    summary = CatalogueSummary()
    for quality in (0.0, 0.019, 0.02, 0.5, 1.0):
        summary.add(CatalogueEntry("a", quality=quality))
    assert {bin_: count for bin_, count in enumerate(summary.quality) if count} == {0: 2, 1: 1, 25: 1, 49: 1}


def test_all_repairs_are_counted_and_some_are_shown() -> None:
    summary = CatalogueSummary()
    for number in range(12):
        repair = RepairFields(field="title", rule="entities", before="&amp;", after="&", confidence=1.0)
        summary.add(CatalogueEntry(f"i{number}", repairs=(repair,)))
    assert summary.repairs == {"entities": 12}
    assert [each["item_id"] for each in summary.repaired] == [f"i{number}" for number in range(10)]
