"""The rules beside the quality model, on the titles of real catalogues and on spoilt ones."""

import csv
import gzip
import random
from collections.abc import Callable
from pathlib import Path

import pytest

from models.quality.repair import repair_text
from models.quality.rules import findings

CATALOGUES = ("amazon_gift_cards_2018", "product_listings", "google_merch_catalog", "fashion_catalog")
MOST_FALSE_ALARMS = 0.001
FEWEST_FOUND = 0.9
REMARKS = ("damaged stock", "do not sell", "wrong barcode", "discontinued", "check stock", "out of stock", "faulty")
WORDS = ("lamp", "light", "led", "home", "decor", "kitchen", "gift", "women", "men", "kids", "sale", "new", "shoes")
SPOILT: dict[str, Callable[[str, random.Random], str]] = {
    "phone": lambda title, rng: f"{title} - 0{rng.randint(20, 99)}1 {rng.randint(100, 999)} {rng.randint(1000, 9999)}",
    "mail": lambda title, rng: (
        f"{title} {rng.choice(('joe', 'sales', 'anna.smith'))}@{rng.choice(('a-b.com', 'x.co'))}"
    ),
    "url": lambda title, rng: f"{title} {rng.choice(('www.lamps.com', 'https://lamps.de/1', 'see lamps.shop'))}",
    "keywords": lambda _, rng: rng.choice((", ", "; ", " | ")).join(rng.sample(WORDS, 8)),
    "held_key": lambda title, rng: title + rng.choice("abcdefg") * rng.randint(5, 12),
    "empty": lambda _, rng: rng.choice(("n/a", "-", "???", "Test item", "TBC", "untitled", "null", "123456")),
}


def titles_of(folder: Path, catalogue: str) -> list[str]:
    with gzip.open(folder / catalogue / "items.csv.gz", "rt", encoding="utf-8", newline="") as file:
        titles = [row["title"].strip() for row in csv.DictReader(file)]
    return [repair_text("title", title)[0] for title in titles if title]


@pytest.mark.parametrize("catalogue", CATALOGUES)
def test_hardly_any_real_title_has_such_a_sign(shop_data: Path, catalogue: str) -> None:
    titles = titles_of(shop_data, catalogue)
    assert len(titles) > 300
    found = [title for title in titles if findings(title)]
    assert len(found) <= MOST_FALSE_ALARMS * len(titles), found


@pytest.mark.parametrize("catalogue", CATALOGUES)
def test_no_real_title_loses_its_end_as_a_remark(shop_data: Path, catalogue: str) -> None:
    with gzip.open(shop_data / catalogue / "items.csv.gz", "rt", encoding="utf-8", newline="") as file:
        titles = [row["title"].strip() for row in csv.DictReader(file)]
    cut = [title for title in titles for each in repair_text("title", title)[1] if each.rule == "remark_cut"]
    assert cut == []


@pytest.mark.parametrize("kind", SPOILT)
def test_spoilt_titles_are_found(shop_data: Path, kind: str) -> None:
    rng = random.Random(13)
    spoilt = [SPOILT[kind](title, rng) for title in rng.sample(titles_of(shop_data, "product_listings"), 300)]
    missed = [title for title in spoilt if kind not in [each.rule for each in findings(title)]]
    assert len(missed) <= (1 - FEWEST_FOUND) * len(spoilt), missed[:10]


@pytest.mark.parametrize("sign", [" - {}", " ({})", ", {}", " / {}", " *{}*"])
def test_a_remark_behind_a_real_title_is_cut_off(shop_data: Path, sign: str) -> None:
    rng = random.Random(13)
    titles = rng.sample(titles_of(shop_data, "fashion_catalog"), 300)
    cut = [repair_text("title", title + sign.format(rng.choice(REMARKS)))[0] for title in titles]
    right = sum(mended == title for mended, title in zip(cut, titles, strict=True))
    assert right >= FEWEST_FOUND * len(titles)
