"""How `headrace run` waits for its processes, and what it says if one does not answer."""

import asyncio
import io
import socket

import aiohttp
import pytest

from app.errors import HeadraceError
from app.local.processes import patiently
from app.local.watch import Watch, get_json


class Told(io.StringIO):
    """Ends the wait once it was told three times."""

    def __init__(self, awaited: "asyncio.Future[str]") -> None:
        super().__init__()
        self._awaited = awaited

    def flush(self) -> None:
        if self.getvalue().count("\n") == 3:
            self._awaited.set_result("up")


async def test_a_slow_start_is_waited_for_and_told_of() -> None:
    awaited: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    told = Told(awaited)
    assert await patiently(awaited, "headrace worker to start", told, pause=0.01) == "up"
    assert told.getvalue().count("waiting for headrace worker to start") == 3


async def test_a_process_that_does_not_answer_is_named_with_advice() -> None:
    with socket.socket() as taken:  # bound, but no process listens
        taken.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{taken.getsockname()[1]}"
        async with aiohttp.ClientSession() as http:
            with pytest.raises(HeadraceError, match=r"the worker gives no answer.*headrace doctor"):
                await Watch(http, url).read()
            with pytest.raises(HeadraceError, match=r"the look-up process gives no answer.*headrace doctor"):
                await get_json(http, f"{url}/users")
