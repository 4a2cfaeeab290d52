"""Judges the items of a catalogue: repairs, verdicts, and listings of one product."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from importlib.util import find_spec
from typing import Any

import numpy as np

from app.errors import HeadraceError
from app.settings import Settings
from models.contract.events import Item
from models.inference.manifest import FILE_NAME, ManifestError
from models.quality.listings import Listing, find_duplicates
from models.quality.repair import repair_item
from models.quality.text import TextVerdict, text_of

SAMPLES = 5
WORST = 20
PAIRS = 20
MOST_JUDGED = 5_000  # the quality model reads about a thousand titles a second
MOST_COMPARED = 20_000
BARS = 20


def take_stock(items: Sequence[Item], settings: Settings) -> dict[str, Any]:
    """Return what is repaired, hidden and twice in a catalogue. Raises HeadraceError."""
    repaired = [repair_item(each) for each in items]
    counts = Counter(each.rule for _, done in repaired for each in done)
    samples: defaultdict[str, list[dict[str, str]]] = defaultdict(list)
    for item, done in repaired:
        for each in done:
            if len(samples[each.rule]) < SAMPLES:
                samples[each.rule].append(
                    {"item_id": item.item_id, "field": each.field, "before": each.before, "after": each.after}
                )
    sound = [item for item, _ in repaired]
    return {
        "repairs": [{"rule": rule, "count": count, "samples": samples[rule]} for rule, count in counts.most_common()],
        "verdicts": _verdicts([each for each in sound if each.title][:MOST_JUDGED], settings),
        "duplicates": _duplicates(sound[:MOST_COMPARED]),
    }


def judge_items(items: Sequence[Item], settings: Settings) -> list[TextVerdict] | None:
    """Return what the quality model and the rules say of each item; None without a quality model.

    Raises HeadraceError for models that cannot be used.
    """
    folder = settings.model.folder
    if not settings.model.dir or not (folder / FILE_NAME).exists() or find_spec("onnxruntime") is None:
        return None
    # here, because its packages are installed only with an extra
    from models.quality.judge import open_quality_model

    try:
        model = open_quality_model(folder, settings.inference, settings.quality.counted())
        return list(model.judge([text_of(each) for each in items]))
    except ManifestError as error:
        raise HeadraceError(f"the models cannot be used: {error}") from error


def _verdicts(items: Sequence[Item], settings: Settings) -> dict[str, Any] | None:
    verdicts = judge_items(items, settings) if items else None
    if verdicts is None:
        return None
    quality = settings.quality
    reasons = Counter(each.value for verdict in verdicts for each in verdict.defects(quality))
    order = sorted(range(len(items)), key=lambda row: verdicts[row].score)
    scores = np.array([each.score for each in verdicts])
    return {
        "judged": len(items),
        "hidden": sum(not each.acceptable(quality) for each in verdicts),
        "reasons": dict(reasons.most_common()),
        "histogram": {"from": 0.0, "to": 1.0, "counts": np.histogram(scores, BARS, (0.0, 1.0))[0].tolist()},
        "worst": [
            {
                "item_id": items[row].item_id,
                "title": items[row].title,
                "quality": round(verdicts[row].score, 4),
                "hidden": not verdicts[row].acceptable(quality),
                "reasons": [each.value for each in verdicts[row].defects(quality)],
            }
            for row in order[:WORST]
        ],
    }


def _duplicates(items: Sequence[Item]) -> dict[str, Any]:
    found = find_duplicates([Listing(each.title, each.brand) for each in items])
    certain = sum(each.is_certain for each in found)
    return {
        "compared": len(items),
        "certain": certain,
        "proposed": len(found) - certain,
        "pairs": [
            {
                "items": [items[each.first].item_id, items[each.second].item_id],
                "titles": [items[each.first].title, items[each.second].title],
                "similarity": each.similarity,
                "certain": each.is_certain,
            }
            for each in found[:PAIRS]
        ],
    }
