"""Clicks sent from the console page: contract events on Kafka, as any shop would send them."""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

import orjson
from aiohttp import web
from aiokafka import AIOKafkaProducer  # type: ignore[import-untyped]  # aiokafka ships no types
from aiokafka.errors import KafkaError  # type: ignore[import-untyped]  # aiokafka ships no types

from app.concerns import KafkaSettings
from app.web.lookups import json_response
from app.web.problems import Problem
from app.web.requests import checked_id, json_object_in
from models.contract.events import GUEST_PREFIX, TOPIC_OF_KIND, Kind

log = logging.getLogger(__name__)

TIMEOUT_SECONDS = 10.0


class ClickProducer:
    """Sends clicks; connects with the first one, so that look-ups never need Kafka."""

    def __init__(self, settings: KafkaSettings) -> None:
        self._settings = settings
        self._topic = settings.topic_prefix + TOPIC_OF_KIND[Kind.CLICK]
        self._producer: AIOKafkaProducer | None = None
        self._starting = asyncio.Lock()

    async def send(self, key: str, event: dict[str, Any]) -> None:
        """Return when the broker has the event. Raises KafkaError, OSError, TimeoutError."""
        async with asyncio.timeout(TIMEOUT_SECONDS):
            producer = await self._started()
            await producer.send_and_wait(self._topic, orjson.dumps(event), key=key.encode())

    async def close(self) -> None:
        """Disconnect from the broker."""
        if self._producer is not None:
            await self._producer.stop()

    async def _started(self) -> AIOKafkaProducer:
        async with self._starting:
            if self._producer is None:
                producer = AIOKafkaProducer(bootstrap_servers=self._settings.bootstrap, linger_ms=0)
                try:
                    await producer.start()
                except BaseException:
                    await producer.stop()
                    raise
                self._producer = producer
            return self._producer


@dataclass(frozen=True, slots=True)
class ClickResource:
    """POST /events/click; refuses unless the settings allow it. `producer` is None when they do not."""

    producer: ClickProducer | None
    clock: Callable[[], float]
    new_id: Callable[[], str]

    def routes(self) -> list[web.RouteDef]:
        """The one route."""
        return [web.post("/events/click", self.click)]

    async def click(self, request: web.Request) -> web.Response:
        """Send one click, and say which event it became."""
        if self.producer is None:
            raise Problem(
                HTTPStatus.FORBIDDEN,
                "This server takes no events; HEADRACE_SERVE_ACCEPT_EVENTS=true allows them.",
            )
        body = await json_object_in(request)
        user_id = checked_id("user_id", body.get("user_id"))
        item_id = checked_id("item_id", body.get("item_id"))
        event = {"event_id": self.new_id(), **_who(user_id), "item_id": item_id, "ts": self.clock()}
        try:
            await self.producer.send(user_id, event)
        except (KafkaError, OSError) as error:  # TimeoutError is an OSError
            log.warning("Kafka did not take a click: %r", error)
            raise Problem(HTTPStatus.SERVICE_UNAVAILABLE, "Kafka does not take the click; try again.") from error
        return json_response(event, HTTPStatus.ACCEPTED)


def _who(user_id: str) -> dict[str, str]:
    """The contract's way to name the user: guests have a session id only."""
    if user_id.startswith(GUEST_PREFIX):
        return {"session_id": user_id.removeprefix(GUEST_PREFIX)}
    return {"user_id": user_id}
