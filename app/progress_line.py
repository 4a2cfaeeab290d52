"""Shows progress on standard error: one rewritten line in a terminal, else a line every 5 s."""

import time
from collections.abc import Callable
from typing import TextIO

TERMINAL_SECONDS = 0.1
LOG_SECONDS = 5.0


class ProgressLine:
    """Shows the newest text, but not more often than people can read.

    `close` shows the last text.
    """

    def __init__(self, stream: TextIO, clock: Callable[[], float] = time.monotonic) -> None:
        self._stream = stream
        self._clock = clock
        self._terminal = stream.isatty()
        self._pause = TERMINAL_SECONDS if self._terminal else LOG_SECONDS
        self._shown_at = clock() if not self._terminal else float("-inf")
        self._text = ""
        self._width = 0

    def show(self, text: str) -> None:
        """Show this text if the previous one was shown long enough."""
        self._text = text
        if self._clock() - self._shown_at >= self._pause:
            self._write()

    def close(self) -> None:
        """Show the last text and end its line."""
        if self._text:
            self._write()
        if self._terminal and self._width:
            self._stream.write("\n")

    def _write(self) -> None:
        self._shown_at = self._clock()
        if self._terminal:
            self._stream.write("\r" + self._text.ljust(self._width))
            self._width = len(self._text)
        else:
            self._stream.write(self._text + "\n")
        self._stream.flush()
