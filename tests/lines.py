"""A proxy in front of a server that can be cut and mended. The server keeps its data meanwhile."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

CHUNK = 65_536


@dataclass
class Line:
    """Passes on what comes to `port`. While it is cut, connections are refused.

    New connections go to `target`. Open connections keep their target when it changes.
    """

    target: int
    port: int
    _listener: socket.socket | None = None
    _ends: list[socket.socket] = field(default_factory=list)

    def mend(self) -> None:
        """Listen, and pass connections on."""
        self._listener = socket.create_server(("127.0.0.1", self.port))
        threading.Thread(target=self._accept, args=(self._listener,), daemon=True).start()

    def cut(self) -> None:
        """Close all connections, and refuse new ones."""
        if self._listener is not None:
            # `close` alone does not wake a thread that waits in `accept`, and leaves the port open.
            with suppress(OSError):
                self._listener.shutdown(socket.SHUT_RDWR)
            self._listener.close()
        for end in self._ends:
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
        self._ends.clear()

    def _accept(self, listener: socket.socket) -> None:
        with suppress(OSError):
            while True:
                near, _ = listener.accept()
                far = socket.create_connection(("127.0.0.1", self.target))
                self._ends += [near, far]
                for source, sink in ((near, far), (far, near)):
                    threading.Thread(target=_pump, args=(source, sink), daemon=True).start()


@contextmanager
def line_to(target: int, port: int) -> Iterator[Line]:
    """Yield a line that is mended at first."""
    line = Line(target, port)
    line.mend()
    try:
        yield line
    finally:
        line.cut()


def _pump(source: socket.socket, sink: socket.socket) -> None:
    with suppress(OSError):
        while chunk := source.recv(CHUNK):
            sink.sendall(chunk)
    for end in (source, sink):
        with suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)
    source.close()
