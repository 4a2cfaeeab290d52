"""What the topic `ranker` holds: the newest weights, the pinned ones, and earlier versions."""

from collections.abc import Iterable

from models.ranker.weights import KEY, PINNED, ROLLED_BACK, RankerRecord, decode_record

KEPT = b"kept-"


class PublishedWeights:
    """Holds what was read of the topic, in its order; what is no record of weights is passed over.

    `versions` are those that can be pinned or rolled back to.
    """

    def __init__(self) -> None:
        self.newest: RankerRecord | None = None
        self.pinned: RankerRecord | None = None
        self.versions: dict[int, RankerRecord] = {}

    def add(self, records: Iterable[tuple[bytes | None, bytes | None]]) -> None:
        """Read on: keys and values. Raises NewerFormat for what a newer version published."""
        for key, value in records:
            if key == PINNED and value is None:
                self.pinned = None
            if key is None or value is None or not (key in (KEY, ROLLED_BACK, PINNED) or key.startswith(KEPT)):
                continue
            try:
                self._add(key, decode_record(value))
            except ValueError:
                continue

    def _add(self, key: bytes, record: RankerRecord) -> None:
        self.versions[record.version] = record
        if key == PINNED:
            self.pinned = record
        elif self.newest is None or _age(record) >= _age(self.newest):
            self.newest = record


def _age(record: RankerRecord) -> tuple[int, int]:
    return record.generation, record.version
