import asyncio
import logging
import socket
from collections.abc import AsyncIterable
from pathlib import Path

import aiohttp
import pytest
from faust.web import Request, Response, View

from app.concerns import KafkaSettings
from app.errors import HeadraceError
from app.kafka.batch_agent import add_batch_agent
from app.kafka.faust_app import FaustOptions, build_faust_app, progress_of, run_faust
from app.kafka.topics import create_topics, topics
from models.contract.events import RawBatch

DEADLINE_SECONDS = 20.0


async def read(stream: AsyncIterable[RawBatch]) -> None:
    async for _ in stream:
        continue


async def test_a_taken_port_is_refused_with_advice(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        options = FaustOptions(tmp_path, ["views"], port=other.getsockname()[1])
        with pytest.raises(HeadraceError, match="HEADRACE_WORKER_PORT"):
            build_faust_app(KafkaSettings(), options)


async def test_a_topic_has_one_agent_and_must_be_among_those_read_in_batches(tmp_path: Path) -> None:
    app = build_faust_app(KafkaSettings(), FaustOptions(tmp_path, ["views"]))
    with pytest.raises(ValueError, match="clicks is not among"):
        add_batch_agent(app, "ingest", ["views", "clicks"], read)
    add_batch_agent(app, "ingest", ["views"], read)
    with pytest.raises(ValueError, match="views has an agent already"):
        add_batch_agent(app, "again", ["views"], read)


async def test_several_brokers_may_be_given(tmp_path: Path) -> None:
    settings = KafkaSettings(bootstrap="one:9092, two:9093")
    app = build_faust_app(settings, FaustOptions(tmp_path, ["views"]))
    assert [(url.host, url.port) for url in app.conf.broker_consumer] == [("one", 9092), ("two", 9093)]


async def test_variables_meant_for_other_programs_change_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BROKER_REQUEST_TIMEOUT", "7")
    app = build_faust_app(KafkaSettings(session_timeout_seconds=10), FaustOptions(tmp_path, ["views"]))
    assert app.conf.broker_request_timeout == 40


async def test_pages_answer_on_a_free_port_and_faust_takes_over_neither_logging_nor_stdout(
    kafka: KafkaSettings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    async def healthz(view: View, request: Request) -> Response:
        alive = progress_of(app).is_alive(60)
        return view.json({"alive": alive}, status=200 if alive else 503)

    await create_topics(kafka)
    here = tmp_path / "here"
    here.mkdir()
    monkeypatch.chdir(here)
    handlers = list(logging.getLogger().handlers)
    app = build_faust_app(kafka, FaustOptions(tmp_path / "state", [topics(kafka).views], port=0))
    app.page("/healthz", name="healthz")(healthz)
    stop = asyncio.Event()
    running = asyncio.create_task(run_faust(app, stop))
    async with aiohttp.ClientSession(f"http://127.0.0.1:{app.conf.web_port}") as session:
        async with session.get("/healthz") as answer:
            assert (answer.status, await answer.json()) == (200, {"alive": True})
        async with session.get("/") as answer:
            assert (answer.status, await answer.json()) == (200, {"status": "OK"})
    stop.set()
    await asyncio.wait_for(running, DEADLINE_SECONDS)
    assert logging.getLogger().handlers == handlers
    assert capfd.readouterr().out == ""
    assert list(here.iterdir()) == []


async def test_a_worker_may_be_stopped_before_it_has_joined_its_group(kafka: KafkaSettings, tmp_path: Path) -> None:
    await create_topics(kafka)
    app = build_faust_app(kafka, FaustOptions(tmp_path, [topics(kafka).views]))
    add_batch_agent(app, "ingest", [topics(kafka).views], read)
    stop = asyncio.Event()
    stop.set()
    await asyncio.wait_for(run_faust(app, stop), DEADLINE_SECONDS)


async def test_a_broker_that_is_not_there_ends_the_worker_with_an_error(tmp_path: Path) -> None:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        settings = KafkaSettings(bootstrap=f"127.0.0.1:{nobody.getsockname()[1]}")
        app = build_faust_app(settings, FaustOptions(tmp_path, ["views"]))
        add_batch_agent(app, "ingest", ["views"], read)
        with pytest.raises(HeadraceError, match="KafkaConnectionError"):
            await asyncio.wait_for(run_faust(app, asyncio.Event()), DEADLINE_SECONDS)
