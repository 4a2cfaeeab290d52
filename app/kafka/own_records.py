"""Which records of a topic this process appended itself, so that they need not be decoded when they
are read back.
"""

from bisect import bisect_left
from collections import deque
from collections.abc import Sequence
from typing import Protocol, TypeVar


class _Record(Protocol):
    @property
    def offset(self) -> int: ...


R = TypeVar("R", bound=_Record)


class OwnRecords:
    """Ranges of offsets by partition, as the broker acknowledged them; forgotten once they were
    read back.

    A record that was appended and not acknowledged is not among them: whoever reads it has to know
    it by its content.
    """

    def __init__(self) -> None:
        self._ranges: dict[int, deque[tuple[int, int]]] = {}

    def note(self, partition: int, first: int, count: int) -> None:
        """Note that the broker appended `count` records from offset `first` on.

        Offsets go back only if the topic was made again; then earlier ranges are forgotten.
        """
        ranges = self._ranges.setdefault(partition, deque())
        if ranges and first < ranges[-1][1]:
            ranges.clear()
        if ranges and ranges[-1][1] == first:
            ranges[-1] = (ranges[-1][0], first + count)
        else:
            ranges.append((first, first + count))

    def forget(self, partition: int) -> None:
        """Forget all ranges of the partition, because it is another log now."""
        self._ranges.pop(partition, None)

    def without(self, partition: int, records: Sequence[R]) -> Sequence[R]:
        """The records, consecutive ones of a partition, that others appended; earlier ones will not
        be asked for.
        """
        ranges = self._ranges.get(partition)
        if not records or not ranges:
            return records
        others: list[R] = []
        at = 0
        for first, end in ranges:
            start = bisect_left(records, first, lo=at, key=_offset)
            others += records[at:start]
            at = bisect_left(records, end, lo=start, key=_offset)
            if at == len(records):
                break
        others += records[at:]
        while ranges and ranges[0][1] <= records[-1].offset + 1:
            ranges.popleft()
        return others


def _offset(record: _Record) -> int:
    return record.offset
