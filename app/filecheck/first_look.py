"""Looks at a log before anything is started for it, and refuses one that is mostly rejected."""

import sys
import time

from app.datasets.record import Dataset
from app.errors import HeadraceError
from app.filecheck.count import QUICKLY, check_log
from app.filecheck.shown import as_text
from models.contract.event_codec import EventSettings


def look_first(dataset: Dataset, settings: EventSettings, *, anyway: bool) -> bool:
    """Write what the files are to standard error. Returns whether most of their rows are good.

    Reads as many rows of each file as take about a second. Raises HeadraceError when they are not,
    unless `anyway`.
    """
    if not dataset.sources:
        return True
    log = check_log(dataset, settings, time.time(), QUICKLY)
    sys.stderr.write(as_text(log))
    if log.fault and not anyway:
        raise HeadraceError(
            f"{log.fault}, so nothing was started; mend the file or follow the arrows above, and ask "
            "`headrace check`; --anyway sends the log as it is"
        )
    return not log.fault
