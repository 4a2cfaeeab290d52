"""Shows the progress of work that takes minutes. Needs the extra `export`."""

import sys
from contextlib import AbstractContextManager


class ProgressBar(AbstractContextManager["ProgressBar"]):
    """A progress bar on standard error."""

    def __init__(self, name: str) -> None:
        """Show the bar from the first call on."""
        from tqdm import tqdm  # type: ignore[import-untyped]  # ships no types

        self._bar = tqdm(desc=name, file=sys.stderr, mininterval=2.0, unit="")

    def __call__(self, done: int, total: int, note: str = "") -> None:
        """Show how much is done."""
        self._bar.total = total
        if note:
            self._bar.set_postfix_str(note, refresh=False)
        self._bar.update(done - self._bar.n)

    def __exit__(self, *_: object) -> None:
        """End the bar and leave it visible."""
        self._bar.close()
