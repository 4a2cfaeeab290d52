"""Counts what the fields of one topic hold."""

from array import array
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from models.contract.persons import TELLS_OF_PERSON, names_person

BARS = 20
TOP = 5
LONGEST_SHOWN = 60  # characters of a value
MOST_DISTINCT = 1_000_000  # hashes that are remembered
MOST_COUNTED = 10_000  # values that are counted one by one


@dataclass(slots=True)
class FieldTally:
    """What one field held in the records so far."""

    name: str
    filled: int = 0
    numbers: "array[float]" = field(default_factory=lambda: array("d"))
    texts: Counter[str] = field(default_factory=Counter)
    _distinct: set[int] = field(default_factory=set)

    def take(self, value: Any) -> None:
        """Count one value that is neither null nor an empty text."""
        self.filled += 1
        of_person = names_person(self.name)
        if of_person or isinstance(value, bool) or not isinstance(value, int | float):
            text = str(value)
            if len(self._distinct) < MOST_DISTINCT:
                self._distinct.add(hash(text))
            if _is_plain(value, text, of_person) and (text in self.texts or len(self.texts) < MOST_COUNTED):
                self.texts[text] += 1
        else:
            self.numbers.append(value)

    def as_json(self, records: int) -> dict[str, Any]:
        """Return the figures; shares are of all `records` of the topic."""
        told: dict[str, Any] = {
            "name": self.name,
            "filled": self.filled,
            "completeness": round(self.filled / records, 6) if records else 0.0,
            "distinct": len(self._distinct) if self._distinct else None,
            "top": [[text[:LONGEST_SHOWN], count] for text, count in self.texts.most_common(TOP) if count > 1],
        }
        return told | (_numbers(np.frombuffer(self.numbers, np.float64)) if self.numbers else {})


def _is_plain(value: Any, text: str, of_person: bool) -> bool:
    """Return whether a value may be shown: an id of a person, or what may hold one, is not."""
    return not (of_person or isinstance(value, dict | list) or TELLS_OF_PERSON.search(text))


def _numbers(values: Any) -> dict[str, Any]:
    """Return range, quantiles, and a histogram from the 1st to the 99th percentile."""
    values = values[np.isfinite(values)]
    if not len(values):
        return {}
    low, middle, high = (float(each) for each in np.quantile(values, [0.01, 0.5, 0.99]))
    counts, edges = np.histogram(values, bins=BARS, range=(low, high if high > low else low + 1))
    return {
        "min": float(values.min()),
        "p01": low,
        "median": middle,
        "p99": high,
        "max": float(values.max()),
        "histogram": {"from": float(edges[0]), "to": float(edges[-1]), "counts": counts.tolist()},
    }


@dataclass(slots=True)
class TopicTally:
    """What the records of one topic held so far; deletions have no fields."""

    topic: str
    records: int = 0
    fields: dict[str, FieldTally] = field(default_factory=dict)

    def take(self, values: Mapping[str, Any]) -> None:
        """Count one record."""
        self.records += 1
        for name, value in values.items():
            if value is not None and value != "":
                if name not in self.fields:
                    self.fields[name] = FieldTally(name)
                self.fields[name].take(value)

    def as_json(self) -> dict[str, Any]:
        """Return the figures of all fields, in the order in which they were met."""
        fields = [each.as_json(self.records) for each in self.fields.values()]
        return {"topic": self.topic, "records": self.records, "fields": fields}
