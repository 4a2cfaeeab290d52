"""Explains records that cannot be decompressed: where they are, and what to do."""

import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from gzip import BadGzipFile
from typing import Any

import cramjam
from aiokafka.errors import UnsupportedCodecError  # type: ignore[import-untyped]  # ships no types

from app.errors import HeadraceError

UNREADABLE = (UnsupportedCodecError, cramjam.DecompressionError, BadGzipFile, zlib.error, EOFError)
ADVICE = (
    "Headrace reads gzip, snappy, lz4 and zstd: install it with its lock file if a library is missing, "
    "or let producers set compression.type to one of these. To go on without these records, move the group's "
    "offset behind them with kafka-consumer-groups --reset-offsets"
)


class UnreadableRecords(HeadraceError):
    """A batch of records cannot be decompressed. `detail` says where, without the advice."""

    def __init__(self, detail: str) -> None:
        super().__init__(f"{detail}. {ADVICE}")
        self.detail = detail


@contextmanager
def explained(consumer: Any) -> Iterator[None]:
    """Raise UnreadableRecords when this AIOKafkaConsumer cannot decompress what it fetches."""
    try:
        yield
    except UNREADABLE as error:
        raise UnreadableRecords(f"{_place(consumer)} cannot be decompressed: {error}") from error


def _place(consumer: Any) -> str:
    # aiokafka's error does not name the place, but the reader that it interrupted tells how far it
    # came.
    for tp, result in consumer._fetcher._records.items():
        records = getattr(result, "_partition_records", None)
        reader = getattr(records, "_records_iterator", None)
        if records is not None and reader is not None and reader.gi_frame is None:
            return f"records of {tp.topic}-{tp.partition} from offset {records.next_fetch_offset}"
    return "records of a topic"
