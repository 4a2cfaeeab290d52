"""Clicks sent from the console page: contract events on Kafka, as any shop would send them."""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus

import orjson
from aiohttp import web

from app.kafka.event_producer import EventProducer
from app.kafka.failure import KafkaAway
from app.web.lookups import json_response
from app.web.problems import Problem
from app.web.requests import checked_id, json_object_in
from models.contract.events import GUEST_PREFIX, Kind

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class ClickResource:
    """POST /events/click; refuses unless the settings allow it. `producer` is None when they do not."""

    producer: EventProducer | None
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
            await self.producer.send(Kind.CLICK, user_id, orjson.dumps(event))
        except KafkaAway as error:
            log.warning("Kafka did not take a click: %s", error)
            raise Problem(HTTPStatus.SERVICE_UNAVAILABLE, "Kafka does not take the click; try again.") from error
        return json_response(event, HTTPStatus.ACCEPTED)


def _who(user_id: str) -> dict[str, str]:
    """The contract's way to name the user: guests have a session id only."""
    if user_id.startswith(GUEST_PREFIX):
        return {"session_id": user_id.removeprefix(GUEST_PREFIX)}
    return {"user_id": user_id}
