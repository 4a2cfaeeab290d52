"""The examples of docs/ in Node, Go, Java, Python with librdkafka and a shell do what the pages
say, on real servers: `make test-examples`.
"""

import base64
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread

import numpy as np
import orjson
import pytest
from aiokafka import ConsumerRecord  # type: ignore[import-untyped]  # ships no types
from redis import Redis

from app.store.keys import Keys
from models.contract.event_codec import EventSettings, decode
from models.contract.events import KIND_OF_TOPIC, RawBatch

ROOT = Path(__file__).resolve().parents[2]
FETCHED = os.environ.get("HEADRACE_TEST_EXAMPLES", "")
pytestmark = pytest.mark.skipif(not FETCHED, reason="needs packages of other languages: make test-examples")

Run = Callable[[Path, str], subprocess.CompletedProcess[str]]
KEYS = Keys("hr:")
STORED = [{"item_id": name, "score": 1.0, "source": "neighbours"} for name in ("tea", "sold", "bad", "gone", "new")]
ENTRIES = {
    "tea": {"title": "Green tea", "available": "1"},
    "sold": {"title": "Sold out", "available": "0"},
    "bad": {"title": "B@d", "available": "1", "recommendable": "0"},
    "gone": {"title": "Gone", "deleted": "1"},
}


def block(page: str, language: str, part: str) -> str:
    """Return the code block of the page that holds this text."""
    text = (ROOT / "docs" / page).read_text(encoding="utf-8")
    found = [each for each in re.findall(rf"^```{language}\n(.*?)^```", text, re.DOTALL | re.MULTILINE) if part in each]
    assert len(found) == 1
    return str(found[0])


def needs(tool: str, language: str) -> Path:
    """Return the folder with the packages of the language. Skips the test without the tool."""
    folder = Path(FETCHED) / language
    if shutil.which(tool) is None or not (folder / "fetched").exists():
        pytest.skip(f"{tool} is not there, or its packages could not be fetched")
    return folder


def run(*command: str | Path, folder: Path) -> str:
    done = subprocess.run([*map(str, command)], cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def in_node(program: str, folder: Path) -> str:
    packages = needs("node", "node")
    (folder / "package.json").write_text('{"type": "module"}')
    (folder / "node_modules").symlink_to(packages / "node_modules")
    (folder / "lists.js").write_text(program)
    return run("node", "lists.js", folder=folder)


def in_go(program: str, folder: Path) -> str:
    packages = needs("go", "go")
    for name in ("go.mod", "go.sum"):
        shutil.copy(packages / name, folder)
    (folder / "main.go").write_text(program)
    assert run("gofmt", "-l", ".", folder=folder) == ""
    return run("go", "run", ".", folder=folder)


def in_java(program: str, folder: Path) -> str:
    packages = needs("java", "java")
    (name,) = re.findall(r"^public class (\w+)", program, re.MULTILINE)
    (folder / f"{name}.java").write_text(program)
    return run("java", "-cp", f"{packages / 'jars'}/*", f"{name}.java", folder=folder)


@pytest.fixture
def stored(redis_url: str) -> Iterator[Redis]:
    """A user's list, of which only tea may be shown, and a trending list."""
    with Redis.from_url(redis_url) as redis:
        redis.set(KEYS.recommendation("ada"), orjson.dumps({"user_id": "ada", "items": STORED, "model": "vmis-knn"}))
        redis.set(KEYS.known_only(), "1")
        redis.zadd(KEYS.trending(), {"tea": 0.5, "sold": 1.0})
        for item_id, entry in ENTRIES.items():
            redis.hset(KEYS.item(item_id), mapping=dict(entry))
        yield redis
        keys = [KEYS.recommendation("ada"), KEYS.known_only(), KEYS.trending(), *map(KEYS.item, ENTRIES)]
        redis.delete(*keys)


@pytest.mark.timeout(600)  # Go compiles
@pytest.mark.parametrize(
    ("language", "part", "execute", "address"),
    [
        ("js", "createClient", in_node, "localhost:6379"),
        ("go", "redis.NewClient", in_go, "localhost:6379"),
        ("java", "JedisPooled", in_java, '"localhost", 6379'),
    ],
    ids=["node", "go", "java"],
)
def test_a_list_is_read_as_the_client_reads_it(
    stored: Redis,
    redis_url: str,
    tmp_path: Path,
    language: str,
    part: str,
    execute: Callable[[str, Path], str],
    address: str,
) -> None:
    host, port = redis_url.removeprefix("redis://").split("/")[0].split(":")
    program = block("back-ends.md", language, part)
    assert address in program
    program = program.replace(address, f'"{host}", {port}' if address.startswith('"') else f"{host}:{port}")
    folders = [tmp_path / name for name in ("listed", "unknown_too", "trending")]
    for folder in folders:
        folder.mkdir()
    assert execute(program, folders[0]).splitlines() == ["tea Green tea neighbours"]
    stored.set(KEYS.known_only(), "0")
    assert execute(program, folders[1]).splitlines() == ["tea Green tea neighbours", "new new neighbours"]
    stored.delete(KEYS.recommendation("ada"))
    assert execute(program, folders[2]).splitlines() == ["tea Green tea trending"]


def assert_is_accepted(key: bytes, value: bytes) -> None:
    """The worker takes the event, and its key is its user."""
    batch = RawBatch("clicks", 0, np.array([0]), np.array([time.time()]), [None], [value])
    assert [each.detail for each in decode(batch, KIND_OF_TOPIC["clicks"], EventSettings()).rejected] == []
    assert key.decode() == orjson.loads(value)["user_id"] == "ada"


async def test_the_producer_in_java_sends_an_event_that_is_accepted(
    broker: str, read_topic: Callable[[str], Awaitable[list[ConsumerRecord]]], tmp_path: Path
) -> None:
    before = len(await read_topic("clicks"))
    program = block("producers.md", "java", "KafkaProducer")
    assert "localhost:9092" in program
    in_java(program.replace("localhost:9092", broker), tmp_path)
    records = await read_topic("clicks")
    assert len(records) == before + 1
    newest = max(records, key=lambda record: float(record.timestamp))
    assert_is_accepted(newest.key, newest.value)


async def test_the_producer_with_librdkafka_chooses_the_partition_that_java_does(
    broker: str, read_topic: Callable[[str], Awaitable[list[ConsumerRecord]]], tmp_path: Path
) -> None:
    packages = needs("python3", "python")
    before = len(await read_topic("clicks"))
    program = block("producers.md", "python", "confluent_kafka").replace("localhost:9092", broker)
    code = f"import sys; sys.path.insert(0, {str(packages)!r})\n{program}"
    run(sys.executable, "-c", code, folder=tmp_path)
    records = await read_topic("clicks")
    assert len(records) == before + 1
    newest = max(records, key=lambda record: float(record.timestamp))
    assert_is_accepted(newest.key, newest.value)
    assert {each.partition for each in records if each.key == b"ada"} == {newest.partition}


def test_the_request_to_a_rest_proxy_holds_the_event_and_the_bare_key(tmp_path: Path) -> None:
    asked: list[tuple[str, str, bytes]] = []

    class Proxy(BaseHTTPRequestHandler):
        """Takes the request as a proxy does."""

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            asked.append((self.path, self.headers["Content-Type"], body))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *arguments: object) -> None:
            """Say nothing."""

    script = block("producers.md", "sh", "curl")
    assert "http://localhost:8082/" in script
    with HTTPServer(("127.0.0.1", 0), Proxy) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        address = f"http://127.0.0.1:{server.server_address[1]}/"
        run("bash", "-c", script.replace("http://localhost:8082/", address), folder=tmp_path)
        server.shutdown()
    ((path, kind, body),) = asked
    assert (path, kind) == ("/topics/clicks", "application/vnd.kafka.binary.v2+json")
    (record,) = orjson.loads(body)["records"]
    assert_is_accepted(base64.b64decode(record["key"]), base64.b64decode(record["value"]))
