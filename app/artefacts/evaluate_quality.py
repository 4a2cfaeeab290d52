"""Measures the quality model against its targets, on the sample data.

Only titles of the test part are used, which training never draws from. Google's catalogue and UCI's
remarks are never trained on.
"""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from app.artefacts.catalogue_files import read_entries
from app.artefacts.evaluate_listings import listing_targets
from app.artefacts.targets import Target
from app.datasets.field import number
from app.datasets.named_rows import named_rows
from app.errors import HeadraceError
from models.quality.calibration import auroc
from models.quality.defect import Defect, ItemText
from models.quality.judge import QualityModel
from models.quality.text import QualitySettings
from models.training.corruptions import corrupted, corruptions_of, other_category
from models.training.quality_catalogue import Part, part_of, trusted

CATALOGUES = ("fashion_catalog", "product_listings", "amazon_gift_cards_2018", "uci_online_retail")
UNTOUCHED, CHINESE = "google_merch_catalog", "chinese_product_titles"
TEXT_DEFECTS = (Defect.GARBLED, Defect.SPAM, Defect.MARKUP, Defect.REMARK)
TEXT_TARGET, CATEGORY_TARGET, REMARK_TARGET, NAMED_TARGET, ALARM_TARGET = 0.95, 0.90, 0.95, 0.70, 0.03
SEED = 2026


def evaluate(model: QualityModel, data: Path, most: int, settings: QualitySettings) -> list[Target]:
    """Return all targets. Raises HeadraceError if a file of the sample data is missing."""
    held_out = {name: _held_out(data, name, most) for name in CATALOGUES}
    targets = text_targets(model, held_out)
    targets += [category_target(model, held_out["fashion_catalog"])]
    untouched = {**held_out, UNTOUCHED: [entry.text for entry in read_entries(data / UNTOUCHED / "items.csv.gz")]}
    targets += [false_alarm_target(model, name, items, settings) for name, items in untouched.items()]
    targets += [other_language_target(model, data, most, settings)]
    targets += remark_targets(model, data, held_out["uci_online_retail"], settings)
    return targets + listing_targets(data)


def text_targets(model: QualityModel, held_out: dict[str, list[ItemText]]) -> list[Target]:
    """Measure the AUROC of each text defect on each catalogue: corrupted against clean titles."""
    rng = np.random.default_rng(SEED)
    targets = []
    for name, items in held_out.items():
        clean = _probabilities(model, items)
        for defect in TEXT_DEFECTS:
            options = corruptions_of(defect)
            spoilt = [corrupted(item, options[int(rng.integers(len(options)))], rng) for item in items]
            value = auroc(clean[defect], _probabilities(model, spoilt)[defect])
            targets.append(Target(f"AUROC {defect.value}, {name}", value, TEXT_TARGET))
    return targets


def category_target(model: QualityModel, items: list[ItemText]) -> Target:
    """Measure the AUROC of titles under another category of the catalogue.

    The category is drawn by how often it is used.
    """
    rng = np.random.default_rng(SEED)
    categories = [item.category for item in items]
    moved = [other_category(item, categories, lambda drawn, own: drawn == own, rng) or item for item in items]
    head = Defect.CATEGORY_MISMATCH
    value = auroc(_probabilities(model, items)[head], _probabilities(model, moved)[head])
    return Target("AUROC category_mismatch, fashion_catalog", value, CATEGORY_TARGET)


def false_alarm_target(model: QualityModel, name: str, items: list[ItemText], settings: QualitySettings) -> Target:
    """Measure the share of untouched titles that get a defect or would be held back."""
    alarms = [not verdict.faultless(settings) for verdict in model.judge(items)]
    return Target(f"false alarms, {name}", float(np.mean(alarms)), ALARM_TARGET, at_least=False)


def other_language_target(model: QualityModel, data: Path, most: int, settings: QualitySettings) -> Target:
    """Measure the share of a Chinese shop's titles that would be held back.

    A language is no reason to hold a title back.
    """
    items = [ItemText(row["title"]) for row in islice(_rows(data / CHINESE / "titles.csv.gz", "title"), most)]
    held_back = [not verdict.acceptable(settings) for verdict in model.judge(items)]
    return Target(f"held back, {CHINESE}", float(np.mean(held_back)), ALARM_TARGET, at_least=False)


def remark_targets(model: QualityModel, data: Path, titles: list[ItemText], settings: QualitySettings) -> list[Target]:
    """Measure the AUROC of UCI's real remarks against its real titles, and how many are named.

    The AUROC is measured on texts as written, and on texts in lower case.
    """
    remarks = [ItemText(each) for each in real_remarks(data / "uci_online_retail")]
    targets = []
    for how, change in (("as written", str), ("in lower case", str.lower)):
        one, other = ([replace(item, title=change(item.title)) for item in each] for each in (titles, remarks))
        value = auroc(_probabilities(model, one)[Defect.REMARK], _probabilities(model, other)[Defect.REMARK])
        targets.append(Target(f"AUROC remark, {len(remarks)} real remarks of UCI {how}", value, REMARK_TARGET))
    named = [Defect.REMARK in verdict.defects(settings) for verdict in model.judge(remarks)]
    return [*targets, Target(f"named remark, {len(remarks)} real remarks of UCI", float(np.mean(named)), NAMED_TARGET)]


def real_remarks(folder: Path) -> list[str]:
    """Return UCI's remarks, found by a rule.

    A remark is a distinct description of raw rows with price zero that is not the title of their
    stock code and is not all in capitals.
    """
    titles = {row["item_id"]: row["title"].strip() for row in _rows(folder / "items.csv.gz", "item_id", "title")}
    found: dict[str, None] = {}
    for row in _rows(folder / "raw_rows.csv.gz", "Description", "UnitPrice", "StockCode"):
        text = " ".join(row["Description"].split())
        if text and number(row["UnitPrice"]) == 0 and not text.isupper() and titles.get(row["StockCode"]) != text:
            found[text] = None
    return list(found)


def _rows(path: Path, *columns: str) -> Iterator[dict[str, str]]:
    if not path.is_file():
        raise HeadraceError(f"{path} is missing; --data must name the folder of the sample data")
    return named_rows(path, required=columns)


def _held_out(data: Path, name: str, most: int) -> list[ItemText]:
    path = data / name / "items.csv.gz"
    if not path.is_file():
        raise HeadraceError(f"{path} is missing; --data must name the folder of the sample data")
    items = [item for item in trusted(name, read_entries(path)).items if part_of(item.title) is Part.TEST]
    return items[:most]


def _probabilities(model: QualityModel, items: list[ItemText]) -> dict[Defect, np.ndarray[Any, np.dtype[np.float64]]]:
    columns: dict[Defect, list[float]] = defaultdict(list)
    for verdict in model.judge(items):
        for defect, probability in verdict.probabilities.items():
            columns[defect].append(probability)
    return {defect: np.array(column) for defect, column in columns.items()}
