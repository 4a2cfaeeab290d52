"""A server that repeats a command in its error, with the password, as proxies and old Redis do."""

import socket
import threading
from collections.abc import Iterator

import pytest

from app.checkup.redis_server import check_redis
from app.concerns import RedisSettings
from app.errors import HeadraceError
from app.store.lookup import Lookups
from headrace import Headrace

ECHO = b"-ERR unknown command `AUTH`, with args beginning with: `shop` `sesame` \r\n"


@pytest.fixture
def url() -> Iterator[str]:
    """The address, with a password, of a server that gives every command this answer."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def answer() -> None:
            while True:
                try:
                    connection, _ = server.accept()
                except OSError:  # closed: the test is over
                    return
                with connection:
                    while connection.recv(65_536):
                        connection.sendall(ECHO)

        threading.Thread(target=answer, daemon=True).start()
        yield f"redis://shop:sesame@127.0.0.1:{server.getsockname()[1]}/0"
        server.shutdown(socket.SHUT_RDWR)


async def test_no_message_repeats_the_password(url: str) -> None:
    with Headrace(url) as headrace, pytest.raises(HeadraceError) as of_client:
        headrace.item("a")
    lookups = Lookups.connect(RedisSettings(url), recall_seconds=1.0)
    with pytest.raises(HeadraceError) as of_lookups:
        await lookups.item("a")
    await lookups.close()
    [finding, *_] = await check_redis(RedisSettings(url))
    for text in (str(of_client.value), str(of_lookups.value), finding.detail):
        assert "unknown command" in text
        assert "sesame" not in text
