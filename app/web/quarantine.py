"""The quarantine as HTTP resources: read from Kafka when it is asked for, and stored nowhere."""

import asyncio
from dataclasses import dataclass, field
from http import HTTPStatus

from aiohttp import web

from app.concerns import KafkaSettings
from app.errors import HeadraceError
from app.guard.problems import Problem
from app.guard.pseudonyms import Pseudonyms
from app.quarantine.reading import EVERYWHERE, Choice, QuarantineReading, read_quarantine
from app.quarantine.shown import list_as_json, stats_as_json
from app.web.lookups import json_response
from app.web.requests import K_DEFAULT, count_in, seconds_in
from app.web.route import Route, count, in_json, in_query
from app.web.schemas import SECONDS, TEXT
from models.contract.outcome import Reason

NEWEST = 10_000  # records of each partition that a request reads
READ_SECONDS = 20.0


@dataclass(frozen=True, slots=True)
class QuarantineResource:
    """Serves GET /quarantine and /quarantine/stats. One request reads at a time."""

    kafka: KafkaSettings
    pseudonyms: Pseudonyms
    reading: asyncio.Lock = field(default_factory=asyncio.Lock)

    def routes(self) -> list[Route]:
        """Return the routes of this resource."""
        choice = (
            in_query("reason", {"type": "array", "items": {"type": "string", "enum": list(Reason)}}),
            in_query("topic", {"type": "array", "items": TEXT}),
            in_query("since", SECONDS),
            in_query("until", SECONDS, "not included"),
        )
        records, counts = in_json("QuarantineList", "the records"), in_json("QuarantineStats", "counts")
        newest = (*choice, count("k", K_DEFAULT))
        return [
            Route("GET", "/quarantine", self.records, "Rejected records, newest first", records, newest),
            Route("GET", "/quarantine/stats", self.stats, "How many records were rejected", counts, choice),
        ]

    async def records(self, request: web.Request) -> web.Response:
        """Answer the newest records, with pseudonyms in place of ids of users."""
        found = await self._read(request, count_in(request))
        return json_response(await asyncio.to_thread(list_as_json, found, self.pseudonyms.of))

    async def stats(self, request: web.Request) -> web.Response:
        """Answer how many records there are, by reason, topic, state and hour."""
        return json_response(stats_as_json(await self._read(request, 0)))

    async def _read(self, request: web.Request, most: int) -> QuarantineReading:
        choice = _choice(request)
        try:
            async with asyncio.timeout(READ_SECONDS), self.reading:
                return await read_quarantine(self.kafka, choice, most, newest=NEWEST)
        except TimeoutError:
            detail = f"Kafka did not hand over the quarantine within {READ_SECONDS:g} s; try again."
            raise Problem(HTTPStatus.SERVICE_UNAVAILABLE, detail) from None
        except HeadraceError as error:
            raise Problem(HTTPStatus.SERVICE_UNAVAILABLE, f"The quarantine cannot be read: {error}") from error


def _choice(request: web.Request) -> Choice:
    reasons = frozenset(request.query.getall("reason", ()))
    if unknown := sorted(reasons - set(Reason)):
        listed = ", ".join(Reason)
        raise Problem(HTTPStatus.BAD_REQUEST, f"{unknown[0][:40]!r} is no reason; there is {listed}.")
    return Choice(
        reasons,
        frozenset(request.query.getall("topic", ())),
        since=seconds_in(request, "since", EVERYWHERE[0]),
        until=seconds_in(request, "until", EVERYWHERE[1]),
    )
