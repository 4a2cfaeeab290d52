"""What is repaired in an item's texts, what is left alone, and what is kept of it."""

import pytest

from models.contract.events import Item
from models.contract.item_codec import Deleted
from models.quality.repair import Repair, decode_repairs, encode_repairs, repair_changes, repair_item, repair_text

GOOD = (
    "WHITE METAL LANTERN",
    "Mug & Saucer, 2 pcs",
    "R&B Classics",
    "Crème brûlée torch",
    "Âge tendre (coffret)",
    "5 < 6: a card game",
    "Café Noir \u2013 500 g",
    "茶杯 & 茶壶",
    "Family \U0001f469\u200d\U0001f467 sticker",
    "The Lost and the Found",
    "Wet wipes - 64",
    "Return of the King (2003)",
    "Order book - A5",
    "Bin - 30 l",
    "Sold by the metre: ribbon",
    "A man, not a mouse",
)
BROKEN = (
    ("encoding", "CafÃ© Noir mug", "Café Noir mug"),
    ("encoding", "Kid\u00e2\u20ac\u2122s lunch box", "Kid\u2019s lunch box"),
    ("encoding", "Tea towel Â, 50 cm", "Tea towel , 50 cm"),
    ("entities", "Salt &amp; pepper mill", "Salt & pepper mill"),
    ("entities", "Salt &amp;amp; pepper mill", "Salt & pepper mill"),
    ("entities", "Cr&egrave;me br&#251;l&#xe9;e torch", "Crème brûlée torch"),
    ("markup", "<b>Red</b><br/>lamp", " Red  lamp"),
    ("markup", "Lamp<script>alert(1)</script>", "Lamp "),
    ("invisible", "Zero\u200bwidth mug", "Zerowidth mug"),
    ("white_space", " Red \t lamp\n", "Red lamp"),
    ("remark_cut", "White lantern - damaged stock", "White lantern"),
    ("remark_cut", "White lantern (wrong barcode)", "White lantern"),
    ("remark_cut", "WHITE LANTERN do not sell", "WHITE LANTERN"),
)


@pytest.mark.parametrize("title", GOOD)
def test_a_good_title_is_left_alone(title: str) -> None:
    assert repair_text("title", title) == (title, ())


ENDS_OF_TITLES = (
    "Flannel Shirt - Check",
    "Wool Blanket, Red (Check)",
    "Men's Trousers, Check",
    "Picnic Rug (checked)",
    "Tea Towels, checked (2 pack)",
    "Duvet Cover Set | Check",
    "FLANNEL SHIRT check",
    "SHELF BRACKET (sold as set)",
    "SHELF BRACKET sold as set",
    "WALL LAMP sold separately",
    "Cup and saucer, sold as 1",
    "Candle holders - sold in pairs",
    "Novel: The Test - Wrong Side",
    "Novel: wrong person",
    "Sticker: wrong way",
    "RUBBER STAMP wrong way",
)
REMARKS_AT_ENDS = (
    "wrong code",
    "wrong barcodes",
    "incorrect label",
    "wrong description",
    "check stock",
    "checked stock",
    "checked and damaged",
    "sold out",
    "sold in error",
)


@pytest.mark.parametrize("title", ENDS_OF_TITLES)
def test_how_goods_look_or_are_sold_stays_at_the_end_of_a_title(title: str) -> None:
    assert repair_text("title", title) == (title, ())


@pytest.mark.parametrize("remark", REMARKS_AT_ENDS)
@pytest.mark.parametrize("title", ["White lantern - ", "White lantern (", "WHITE LANTERN "])
def test_what_stock_books_say_is_cut_off_the_end_of_a_title(title: str, remark: str) -> None:
    assert repair_text("title", title + remark)[0] == title.rstrip(" -(")


@pytest.mark.parametrize(("rule", "before", "after"), BROKEN)
def test_each_rule_says_what_it_did(rule: str, before: str, after: str) -> None:
    _, repairs = repair_text("title", before)
    [found] = [each for each in repairs if each.rule == rule]
    assert (found.before, found.after) == (before, after)
    assert 0 < found.confidence <= 1


def test_rules_go_on_from_what_the_one_before_left() -> None:
    text, repairs = repair_text("title", "&lt;b&gt;CafÃ©&lt;/b&gt;  mug - damaged")
    assert text == "Café mug"
    assert [each.rule for each in repairs] == ["entities", "encoding", "markup", "white_space", "remark_cut"]
    assert [each.after for each in repairs][:-1] == [each.before for each in repairs][1:]


@pytest.mark.parametrize(("rule", "before"), [(rule, before) for rule, before, _ in BROKEN])
def test_a_repaired_text_needs_no_second_repair(rule: str, before: str) -> None:
    text, _ = repair_text("title", before)
    assert repair_text("title", text) == (text, ())


@pytest.mark.parametrize("text", ["<br>", "\u200b", "&nbsp;", "damaged stock", "?"])
def test_a_rule_never_empties_a_text(text: str) -> None:
    assert repair_text("title", text)[0].strip() or not text.strip("\u200b")


def test_category_and_brand_are_repaired_and_keep_their_remarks() -> None:
    item, repairs = repair_item(Item("1", "Mug", category="Home &amp; Garden", brand="Ros\u00c3\u00a9 - damaged stock"))
    assert (item.category, item.brand) == ("Home & Garden", "Rosé - damaged stock")
    assert [(each.field, each.rule) for each in repairs] == [("category", "entities"), ("brand", "encoding")]


def test_changes_without_texts_stay_as_they_are() -> None:
    changes, repairs = repair_changes([Deleted("1"), Item("2", " Mug")])
    assert changes == [Deleted("1"), Item("2", "Mug")]
    assert [[each.rule for each in done] for done in repairs] == [[], ["white_space"]]


def test_repairs_are_read_back_as_they_were_written() -> None:
    repair = Repair("title", "encoding", "CafÃ©", "Café", 0.97)
    assert decode_repairs(encode_repairs([repair, repair])) == (repair, repair)
    assert decode_repairs(encode_repairs([])) == ()


def test_half_a_surrogate_pair_can_be_stored() -> None:
    _, repairs = repair_text("title", "Mug \ud83e  blue")
    assert decode_repairs(encode_repairs(repairs))[-1].after == "Mug \ufffd blue"
