"""Sends clicks from the console page to Kafka, as events of the contract like those of any shop."""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus

import orjson
from aiohttp import web

from app.guard.problems import Problem
from app.kafka.event_producer import EventProducer
from app.kafka.failure import KafkaAway
from app.web.lookups import json_response
from app.web.requests import checked_id, json_object_in
from app.web.route import Route, in_json
from app.web.schemas import reference
from models.contract.events import GUEST_PREFIX, Kind

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class ClickResource:
    """Serves POST /events/click. `producer` is None when the settings do not allow clicks."""

    producer: EventProducer | None
    clock: Callable[[], float]
    new_id: Callable[[], str]

    def routes(self) -> list[Route]:
        """Return the route of this resource."""
        return [
            Route(
                "POST",
                "/events/click",
                self.click,
                "Send one click, for trying out",
                in_json("Event", "the event as it was sent"),
                refusals=(HTTPStatus.FORBIDDEN, HTTPStatus.UNSUPPORTED_MEDIA_TYPE),
                status=HTTPStatus.ACCEPTED,
                body=reference("Click"),
            )
        ]

    async def click(self, request: web.Request) -> web.Response:
        """Send one click. Returns the event that it became."""
        if self.producer is None:
            raise Problem(
                HTTPStatus.FORBIDDEN,
                "This server accepts no events; HEADRACE_SERVE_ACCEPT_EVENTS=true allows them.",
            )
        body = await json_object_in(request)
        user_id = checked_id("user_id", body.get("user_id"))
        item_id = checked_id("item_id", body.get("item_id"))
        event = {"event_id": self.new_id(), **_who(user_id), "item_id": item_id, "ts": self.clock()}
        try:
            await self.producer.send(Kind.CLICK, user_id, orjson.dumps(event))
        except KafkaAway as error:
            log.warning("Kafka did not accept a click: %s", error)
            raise Problem(HTTPStatus.SERVICE_UNAVAILABLE, "Kafka did not accept the click; try again.") from error
        return json_response(event, HTTPStatus.ACCEPTED)


def _who(user_id: str) -> dict[str, str]:
    """Return the field of the contract that names the user; guests have only a session id."""
    if user_id.startswith(GUEST_PREFIX):
        return {"session_id": user_id.removeprefix(GUEST_PREFIX)}
    return {"user_id": user_id}
