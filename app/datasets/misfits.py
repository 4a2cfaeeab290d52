"""Logs the rows that a reader sends to quarantine, while a log is read."""

import logging
from collections import Counter
from collections.abc import Iterable, Iterator

from app.datasets.record import QUARANTINE, Record

logger = logging.getLogger(__name__)

ROWS_SHOWN = 3


def telling(records: Iterable[Record], fate: str) -> Iterator[Record]:
    """Yield the records unchanged. Logs the first three rows of each reason.

    `fate` is the verb of the log line: what happens to such a row.
    """
    counts: Counter[bytes] = Counter()
    for record in records:
        if record.topic == QUARANTINE:
            headers = dict(record.headers)
            counts[headers["reason"]] += 1
            if counts[headers["reason"]] <= ROWS_SHOWN:
                file, detail = (headers[name].decode(errors="replace") for name in ("source-topic", "detail"))
                logger.warning("%s, row %d %s: %s", file, record.row, fate, detail)
        yield record
