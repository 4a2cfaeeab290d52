"""Which title of an item is kept, whatever part of its records is read again."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.contract.events import Item
from models.contract.item_codec import Change, Deleted, RecordPlace
from models.quality.assessment import Assessment
from models.quality.last_good import Kept, StoredText, good_title, settle, to_judge, worse

LAMP, TEAPOT, NOTE, QUESTION, DOUBTFUL = "BLUE GLASS LAMP", "RED TEAPOT", "damages", "?", "lost"
DEFECTS = {NOTE: "remark", QUESTION: "remark"}


def defect_of(title: str) -> str:
    return DEFECTS.get(title, "")


class Shop:
    """One item's records, and a store as the worker writes it."""

    def __init__(self, *titles: str | None) -> None:
        self.log: list[Change] = [Deleted("1") if title is None else Item("1", title) for title in titles]
        self.stored: dict[str, StoredText] = {}

    def read(self, first: int = 0, end: int | None = None, *, at_once: int = 1) -> str:
        """Handle the records from `first` to `end`, in batches; returns the stored title."""
        rows = list(range(len(self.log)))[first:end]
        for start in range(0, len(rows), at_once):
            part = rows[start : start + at_once]
            known = dict(self.stored)
            places = [RecordPlace(0, row, 10 * row) for row in part]
            found = settle([self.log[row] for row in part], places, [()] * len(part), known, defect_of)
            for number, (change, place) in enumerate(zip(found.changes, places, strict=True)):
                self._write(change, place, found.kept.get(number))
            for each in found.retitled.values():
                if self.stored["1"].place == each.over:
                    deletion = self.stored["1"].deletion
                    self.stored["1"] = StoredText(each.title, each.over, each.place, each.said, deletion)
        return self.stored.get("1", StoredText()).title

    def _write(self, change: Change, place: RecordPlace, kept: Kept | None) -> None:
        """As the store does: an earlier record than the stored one changes nothing."""
        stored = self.stored.get("1", StoredText()).place
        if stored is not None and place.is_before(stored):
            return
        known = self.stored.get("1", StoredText())
        if isinstance(change, Item):
            brought, said = (kept.place, kept.said) if kept else (None, "")
            self.stored["1"] = StoredText(change.title, place, brought, said, known.deletion)
        else:
            self.stored["1"] = StoredText(place=place, deletion=place)


@pytest.mark.parametrize(
    ("titles", "kept"),
    [
        ((LAMP, NOTE), LAMP),
        ((LAMP, NOTE, QUESTION), LAMP),
        ((LAMP, NOTE, TEAPOT), TEAPOT),
        ((LAMP, TEAPOT, NOTE), TEAPOT),
        ((NOTE, LAMP), LAMP),
        ((NOTE, QUESTION), QUESTION),
        ((LAMP, None, NOTE), NOTE),
        ((LAMP, NOTE, None, NOTE, LAMP), LAMP),
        ((LAMP, ""), ""),
    ],
)
@pytest.mark.parametrize("at_once", [1, 2, 10])
def test_a_good_title_is_kept_until_a_good_one_or_a_deletion(
    titles: tuple[str | None, ...], kept: str, at_once: int
) -> None:
    assert Shop(*titles).read(at_once=at_once) == kept


TITLES = st.lists(st.sampled_from([LAMP, TEAPOT, NOTE, QUESTION, DOUBTFUL, None]), min_size=1, max_size=7)
SIZES = st.integers(1, 4)


@given(TITLES, st.data())
def test_reading_a_part_of_the_log_again_changes_nothing(titles: list[str | None], data: st.DataObject) -> None:
    shop = Shop(*titles)
    kept = shop.read(at_once=data.draw(SIZES))
    shop.read(data.draw(st.integers(0, len(titles) - 1)), at_once=data.draw(SIZES))
    assert shop.stored["1"].title == kept


@given(TITLES, st.data())
def test_an_emptied_store_comes_to_the_same_though_new_records_come_first(
    titles: list[str | None], data: st.DataObject
) -> None:
    """The newest record is stored while the log is not read yet: nothing is known but itself."""
    shop, emptied = Shop(*titles), Shop(*titles)
    emptied.read(len(titles) - 1)
    emptied.read(at_once=data.draw(SIZES))
    assert emptied.stored["1"].title == shop.read()


@given(TITLES, st.data())
def test_what_a_late_worker_writes_again_changes_nothing(titles: list[str | None], data: st.DataObject) -> None:
    shop = Shop(*titles)
    kept = shop.read()
    end = data.draw(st.integers(1, len(titles)))
    shop.read(data.draw(st.integers(0, end - 1)), end, at_once=data.draw(SIZES))
    assert shop.stored["1"].title == kept


@pytest.mark.parametrize("doubtful", ["lost", "wet", "20713 ??"])
@pytest.mark.parametrize("at_once", [1, 2, 10])
def test_a_note_refused_beside_a_title_is_refused_again_when_it_is_read_again(doubtful: str, at_once: int) -> None:
    """The batch with two notes was stored, and its place was not committed."""
    shop = Shop(LAMP, doubtful, NOTE)
    assert shop.read(0, 1) == LAMP
    assert shop.read(1, at_once=2) == LAMP
    assert shop.read(1, at_once=at_once) == LAMP


def test_a_good_title_that_was_missed_is_put_back_also_beside_a_kept_one() -> None:
    shop = Shop(LAMP, TEAPOT, NOTE)
    shop.read(0, 1)
    shop.read(2)
    assert shop.read(1, 2) == TEAPOT


def test_the_repair_says_what_the_shop_sent_and_what_is_kept() -> None:
    changes: list[Change] = [Item("1", LAMP), Item("1", NOTE, price=2.0)]
    places = [RecordPlace(0, row, row) for row in (4, 5)]
    found = settle(changes, places, [(), ()], {}, defect_of)
    assert found.changes[1] == Item("1", LAMP, price=2.0)
    assert [(each.rule, each.before, each.after) for each in found.repairs[1]] == [("last_good_text", NOTE, LAMP)]
    assert {row: (each.place, each.defect) for row, each in found.kept.items()} == {1: (places[0], "remark")}


@pytest.mark.parametrize(
    ("before", "after"),
    [
        *pairwise((LAMP, TEAPOT, "Blue glass lamp")),
        (NOTE, QUESTION),
        (LAMP, "Lamp, blue"),
        (LAMP, "Wet wipes"),
        ("Blue lamp", "teapot"),
    ],
)
def test_another_good_title_is_no_worse(before: str, after: str) -> None:
    assert worse(before, after, defect_of) == ""


@pytest.mark.parametrize("after", ["lost", "wet", "sold as set?", "taig adjust no stock", "WET/MOULDY", "20713 ??"])
def test_beside_a_good_title_doubtful_words_are_a_remark(after: str) -> None:
    assert worse(LAMP, after, lambda _: "") == "remark"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("LED护眼灯 学生宿舍", "学习用台灯护眼款"),
        ("LED护眼灯 学生宿舍", "学习用台灯 2件装"),
        ("USBハブ 高速データ転送", "充電ステーション四口"),
        ("USB HUB FOUR PORTS", "充電ステーション四口"),
        ("СИНЯЯ СТЕКЛЯННАЯ ЛАМПА", "красный чайник"),
    ],
)
def test_a_new_title_in_another_script_is_no_note(before: str, after: str) -> None:
    assert worse(before, after, lambda _: "") == ""


def test_a_note_in_small_latin_letters_is_seen_though_it_has_accents() -> None:
    assert worse("LAMPE DE TABLE BLEUE", "abîmé", lambda _: "") == "remark"


def test_only_items_with_several_titles_are_judged() -> None:
    changes: list[Change] = [Item("1", LAMP), Item("2", TEAPOT), Item("3", NOTE), Deleted("4"), Item("5", "")]
    stored = {"1": StoredText(LAMP), "2": StoredText(), "3": StoredText(LAMP)}
    assert to_judge(changes, stored) == sorted([LAMP, NOTE])


def test_a_title_with_an_accident_is_no_good_title() -> None:
    assert good_title(Assessment("0" * 16, reasons=("foreign",), title=LAMP)) == LAMP
    assert good_title(Assessment("0" * 16, reasons=("remark",), title=NOTE)) == ""


def test_a_version_that_is_older_than_the_stored_one_changes_nothing_that_is_kept() -> None:
    changes: list[Change] = [Item("1", TEAPOT, updated_at=5), Item("1", NOTE, updated_at=11)]
    places = [RecordPlace(0, row, row) for row in (7, 8)]
    stored = {"1": StoredText(LAMP, RecordPlace(0, 6, 6), updated_at=10)}
    found = settle(changes, places, [(), ()], stored, defect_of)
    assert found.changes == [changes[0], Item("1", LAMP, updated_at=11)]
    assert stored["1"].updated_at == 11
