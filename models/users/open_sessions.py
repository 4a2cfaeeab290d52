"""Names the sessions of a log that is read as a whole, by the rule of the workers."""

from collections import defaultdict

import numpy as np
from numpy.typing import NDArray

from models.users.step import locate_session
from models.users.table import name_session


class OpenSessions:
    """The open session of each user. Events come in the order of their times."""

    def __init__(self) -> None:
        self._open: defaultdict[str, NDArray[np.float64]] = defaultdict(lambda: np.full(3, np.nan))

    def name(self, user: str, ts: float) -> str:
        """Return the id of the session of an event without a session id; `ts` in seconds."""
        return name_session(user, locate_session(self._open[user], ts, is_new=True))
