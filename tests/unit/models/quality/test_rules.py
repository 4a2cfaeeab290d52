"""What the rules find in a title without the model, and what they leave alone."""

import numpy as np
import pytest

from models.quality.defect import DEFECTS, Defect, ItemText
from models.quality.features import LONGEST_TITLE
from models.quality.reading import combined, later_parts, readable, reading_of
from models.quality.repair import repair_text
from models.quality.rules import SURE, findings
from models.quality.text import TITLE_LIMIT

FOUND = (
    ("phone", "Blue lamp, call us on 0800 123 4567"),
    ("phone", "Lamp +44 20 7946 0958"),
    ("phone", "(212) 555-0143 lamps"),
    ("phone", "Lamp 07700900123"),
    ("phone", "Lamp tel 3125660"),
    ("phone", "\u53f0\u706f 13641746285"),
    ("mail", "Lamp joe.smith@lamps.co.uk"),
    ("mail", "Lamp joe (at) lamps.com"),
    ("url", "Lamp https://lamps.shop/1"),
    ("url", "www.lamps.com lamp"),
    ("url", "Lamp, more at lamps.de"),
    ("keywords", "lamp, light, lighting, bulb, led, home, decor"),
    ("keywords", "cheap watch watches men watch gift watch for women watch sale"),
    ("too_long", "Lamp " * 100),
    ("held_key", "Lampppppp"),
    ("held_key", "asdfgh"),
    ("held_key", "jkjkjkjk"),
    ("held_key", "LAMP!!!!!!"),
    ("empty", "n/a"),
    ("empty", "Test item 3"),
    ("empty", "---"),
    ("empty", "20713"),
    ("prose", "This is a nice lamp and I bought it for my mother because she likes it."),
    ("remark", "damages"),
    ("remark", "wrongly coded 20713"),
)
GOOD = (
    "Order book A5", "Receipt book", "Cash register", "Invoice book", "Bin bags", "Check shirt", "Test tube rack",
    "Amazon.com Gift Card", "Stamps.com postage kit", "Logitech keyboard - 967685-0403", "ISBN 0-13-110362-8",
    "Wireless-G PrintServer - WPSM54G", "T-Shirt XXXXXL", "1984", "AAAA batteries", "QWERTY keyboard, UK layout",
    "Mug, red, 300 ml, stoneware, dishwasher safe, boxed", "What to Expect When You're Expecting", "Wet wipes",
    "Lost in Translation", "A Series of Unfortunate Events: The Bad Beginning", "Sold by the metre ribbon",
    "\u8336\u676f,\u6c34\u676f,\u73bb\u7483\u676f,\u5496\u5561\u676f,\u9a6c\u514b\u676f,\u676f\u5b50,\u793c\u54c1",
    "Toner for 2020 7946 0958 printers",
)  # fmt: skip


TYPED_IN_ONE_ROW = (
    "Pottery", "Poetry", "Glass", "Glass Flask", "Salad", "Salads", "Flash", "Fall", "Lads", "Router", "Property",
    "Typewriter", "Alaska", "Asda", "Were", "Wert", "Qwerty keyboard",
)  # fmt: skip
RUNS_OF_KEYS = ("asdf", "asdfasdf", "asdfjkl", "asdfghasdf", "sdfg", "qwerty", "qwertyuiop", "zxcvb", "lkjh lamp")


@pytest.mark.parametrize("title", TYPED_IN_ONE_ROW)
def test_a_word_whose_letters_stand_in_one_row_of_keys_is_a_word(title: str) -> None:
    assert findings(title) == ()


@pytest.mark.parametrize("title", RUNS_OF_KEYS)
def test_keys_pressed_one_beside_the_other_are_garbled(title: str) -> None:
    assert "held_key" in [each.rule for each in findings(title)]


@pytest.mark.parametrize(("rule", "title"), FOUND)
def test_each_sign_is_found_by_its_rule(rule: str, title: str) -> None:
    assert rule in [each.rule for each in findings(title)]


@pytest.mark.parametrize("title", GOOD)
def test_real_titles_have_no_such_sign(title: str) -> None:
    assert findings(title) == ()


def test_a_title_that_is_missing_is_not_judged() -> None:
    assert findings("  ") == ()


@pytest.mark.parametrize(
    ("title", "read"),
    [
        ("Salt & pepper", "Salt and pepper"),
        ("R&B", "R and B"),
        ("Salt &amp; pepper", "Salt &amp; pepper"),
        ("Mug \U0001f984", "Mug"),
        ("\U0001f984", "\U0001f984"),
        ("Duplicate order book", "notebook"),
        ("Toy cash register", "Toy calculator"),
        ("Receipt holder", "notebook holder"),
    ],
)
def test_the_model_reads_titles_without_what_misleads_it(title: str, read: str) -> None:
    assert readable(title) == read


def test_the_whole_title_is_read_in_parts_cut_between_words() -> None:
    title = " ".join(f"word{number}" for number in range(60))
    parts = later_parts(title)
    assert title.endswith(" ".join(parts))
    assert len(title) - len(" ".join(parts)) <= TITLE_LIMIT
    assert all(len(part) <= TITLE_LIMIT for part in parts)
    assert later_parts("short") == []
    assert sum(map(len, later_parts("x" * 5_000))) == LONGEST_TITLE - TITLE_LIMIT


def test_the_worst_part_of_a_title_counts_and_rules_count_as_certain() -> None:
    items = [ItemText("Lamp"), ItemText("n/a"), ItemText(" ".join(f"w{number}" for number in range(60)))]
    reading = reading_of(items)
    probability = np.zeros((len(reading.texts), len(DEFECTS)))
    probability[len(items) :, DEFECTS.index(Defect.SPAM)] = 0.7
    probability[len(items) :, DEFECTS.index(Defect.TRUNCATED)] = 0.8
    found = combined(items, reading, probability)
    assert [dict(zip(DEFECTS, row, strict=True))[Defect.SPAM] for row in found.tolist()] == [0, 0, 0.7]
    assert [dict(zip(DEFECTS, row, strict=True))[Defect.REMARK] for row in found.tolist()] == [0, SURE, 0]
    assert found[:, DEFECTS.index(Defect.TRUNCATED)].max() == 0


@pytest.mark.parametrize(
    "piece", ["x", "asdf", "asdfjkl;", "a-", "- ", "0 ", "+1 ", "call ", "www", "a.b@", "&amp", "<!--", "? "]
)
def test_a_title_made_to_be_slow_is_read_all_the_same(piece: str) -> None:
    title = (piece * 2_000)[:2_000]
    assert {each.rule for each in findings(title)} >= {"too_long"}
    assert repair_text("title", title)[0]
