"""Drives a headless Chromium through its DevTools protocol, over aiohttp's web socket."""

import asyncio
import base64
import itertools
import shutil
import subprocess
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientSession, ClientWebSocketResponse, WSMsgType

BINARIES = ("chromium", "chromium-browser", "google-chrome")
FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
    "--remote-debugging-port=0",
)
START_SECONDS = 30.0
WAIT_SECONDS = 15.0


@dataclass
class Page:
    """One tab. `complaints` collects exceptions, and what the console logged as an error."""

    socket: ClientWebSocketResponse
    session: str = ""
    complaints: list[str] = field(default_factory=list)
    _numbers: Iterator[int] = field(default_factory=itertools.count)

    async def open(self, url: str) -> None:
        """Load a page from the beginning, even if only its fragment differs."""
        await self.call("Page.navigate", url="about:blank")
        await self.call("Page.navigate", url=url)
        await self.until("document.readyState === 'complete'")

    async def run(self, expression: str) -> Any:
        """Return the value of the JavaScript expression."""
        reply = await self.call("Runtime.evaluate", expression=expression, awaitPromise=True, returnByValue=True)
        assert "exceptionDetails" not in reply, reply
        return reply["result"].get("value")

    async def until(self, expression: str, seconds: float = WAIT_SECONDS) -> None:
        """Wait until the expression is true."""
        deadline = time.monotonic() + seconds
        while not await self.run(expression):
            if time.monotonic() > deadline:
                raise AssertionError(f"never so: {expression}\n{await self.run('document.body.innerText')}")
            await asyncio.sleep(0.02)

    async def press(self, key: str, code: int, text: str = "") -> None:
        """Press and release a key of the keyboard."""
        for kind in ("keyDown", "keyUp"):
            typed = {"text": text} if text and kind == "keyDown" else {}
            await self.call("Input.dispatchKeyEvent", type=kind, key=key, code=key, windowsVirtualKeyCode=code, **typed)

    async def type(self, text: str) -> None:
        """Type into the element that has the focus."""
        await self.call("Input.insertText", text=text)

    async def resize(self, width: int, height: int, *, dark: bool = False) -> None:
        """Change the size and the colour scheme of the tab."""
        await self.call(
            "Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False
        )
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        await self.call("Emulation.setEmulatedMedia", features=[scheme])

    async def screenshot(self, path: Path) -> None:
        """Write a PNG of the tab."""
        path.write_bytes(base64.b64decode((await self.call("Page.captureScreenshot"))["data"]))

    async def call(self, method: str, **params: Any) -> dict[str, Any]:
        """Send one DevTools command. Returns its result; events that arrive before it are noted."""
        number = next(self._numbers)
        command: dict[str, Any] = {"id": number, "method": method, "params": params}
        if self.session:
            command["sessionId"] = self.session
        await self.socket.send_json(command)
        async with asyncio.timeout(WAIT_SECONDS):
            while True:
                received = await self.socket.receive()
                assert received.type is WSMsgType.TEXT, received
                message = received.json()
                if message.get("id") == number:
                    assert "error" not in message, message
                    result: dict[str, Any] = message["result"]
                    return result
                self._note(message)

    def _note(self, message: dict[str, Any]) -> None:
        match message:
            case {"method": "Runtime.exceptionThrown", "params": params}:
                self.complaints.append(str(params["exceptionDetails"]))
            case {"method": "Log.entryAdded", "params": {"entry": {"level": "error", **entry}}}:
                self.complaints.append(str(entry))


@asynccontextmanager
async def browser_page(folder: Path) -> AsyncIterator[Page]:
    """Yield a new tab of a new browser. Skips the test if there is no Chromium."""
    binary = next((found for name in BINARIES if (found := shutil.which(name))), None)
    if binary is None:
        pytest.skip("no Chromium on this machine (Debian: apt-get install chromium)")
    with (folder / "chromium.log").open("wb") as log:
        process = subprocess.Popen([binary, *FLAGS, f"--user-data-dir={folder}"], stdout=log, stderr=log)
    try:
        async with ClientSession() as http, http.ws_connect(await _address(process, folder), max_msg_size=0) as socket:
            page = Page(socket)
            target = await page.call("Target.createTarget", url="about:blank")
            attached = await page.call("Target.attachToTarget", targetId=target["targetId"], flatten=True)
            page.session = attached["sessionId"]
            for domain in ("Page", "Runtime", "Log"):
                await page.call(f"{domain}.enable")
            yield page
    finally:
        process.terminate()
        process.wait(10)


async def _address(process: subprocess.Popen[bytes], folder: Path) -> str:
    written = folder / "DevToolsActivePort"
    deadline = time.monotonic() + START_SECONDS
    while process.poll() is None and time.monotonic() < deadline:
        lines = written.read_text().split() if written.exists() else []
        if len(lines) == 2:
            return f"ws://127.0.0.1:{lines[0]}{lines[1]}"
        await asyncio.sleep(0.05)
    raise AssertionError(f"Chromium did not start:\n{(folder / 'chromium.log').read_text()[-2000:]}")
