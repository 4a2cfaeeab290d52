"""Checks how far the workers are: the group's lag, the newest event, whether they are ready."""

import time
from collections.abc import Callable

import aiohttp
import orjson

from app.checkup.doctor import Finding, Findings, fail, ok, warn
from app.checkup.kafka_server import unchecked
from app.concerns import KafkaSettings
from app.guard.middleware import SERVER
from app.kafka.failure import KafkaAway
from app.kafka.group_offsets import GroupLag, read_group_lag
from app.kafka.unreadable import ADVICE, UnreadableRecords

PROBE_SECONDS = 3.0
LARGEST_SKEW_SECONDS = 1.0
ANYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1"}


async def check_lag(settings: KafkaSettings, clock: Callable[[], float] = time.time) -> Findings:
    """Report the group's lag in records, and the newest event's age by this machine's clock."""
    try:
        lag = await read_group_lag(settings)
    except UnreadableRecords as error:
        return [fail("lag", error.detail, ADVICE)]
    except KafkaAway as away:
        return [unchecked("lag", away)]
    if lag is None:
        return [ok("lag", "no topics yet")]
    waits = lag.records or lag.started
    waiting = f"{lag.records:,} records of events and items wait" if waits else "events and items: nothing to do yet"
    if lag.records and not lag.started:
        waiting += "; no worker of this group has finished any yet"
    return [*_lost(lag), ok("lag", waiting), *([] if lag.newest is None else [_age(lag.newest - clock())])]


def _lost(lag: GroupLag) -> list[Finding]:
    found = []
    if lag.removed:
        detail = f"Kafka removed {lag.removed:,} records that the group had not read"
        found.append(warn("lag", detail, "raise the retention of the topics, or add workers"))
    if lag.beyond:
        detail = f"the group has committed more than there is in {', '.join(lag.beyond)}: the topic was made again"
        found.append(warn("lag", detail, "a running worker notices within seconds, and reads it from its beginning"))
    return found


async def check_process(name: str, host: str, port: int) -> Findings:
    """Report the answer to `/readyz` of a worker or look-up process on this machine.

    A process that does not run is no fault.
    """
    if port == 0:
        return [ok(name, "takes a free port, so it cannot be asked here")]
    another = f"HEADRACE_{name.upper()}_PORT chooses another"
    host = ANYWHERE.get(host, host)
    url = f"http://{f'[{host}]' if ':' in host else host}:{port}/readyz"
    try:
        timeout = aiohttp.ClientTimeout(total=PROBE_SECONDS)
        async with aiohttp.ClientSession(timeout=timeout) as session, session.get(url) as response:
            status, server, text = response.status, response.headers.get("Server", ""), await response.text()
    except aiohttp.ClientConnectorError:
        return [ok(name, f"does not run here: nothing listens on {host} port {port}")]
    except (aiohttp.ClientError, TimeoutError, OSError, UnicodeDecodeError) as error:
        advice = f"see whether another program uses the port; {another}"
        return [warn(name, f"{url} gives no answer: {str(error) or type(error).__name__}", advice)]
    if server != SERVER:
        return [warn(name, f"another program answers at {url}", f"stop it, or leave it the port: {another}")]
    if (found := _whose(text)) != name:
        return [warn(name, f"`headrace {found}` answers at {url}", f"give each a port of its own: {another}")]
    return [_readiness(name, url, status, text)]


def _readiness(name: str, url: str, status: int, text: str) -> Finding:
    if status == 200:
        return ok(name, f"ready at {url}")
    return warn(name, f"not ready at {url}: {status} {text[:300]}", "see its log; it says what it waits for")


def _whose(answer: str) -> str:
    """Return which of the two processes answers `/readyz` so."""
    try:
        told = orjson.loads(answer)
    except orjson.JSONDecodeError:
        told = None
    return "worker" if isinstance(told, dict) and "ready" in told else "serve"


def _age(ahead: float) -> Finding:
    if ahead <= LARGEST_SKEW_SECONDS:
        return ok("kafka clock", f"the newest event came {max(0.0, -ahead):,.1f} s ago")
    advice = (
        "synchronise both with NTP: freshness is wrong by this much, and so is what counts as an event of the future"
    )
    return warn(
        "kafka clock", f"the newest event came {ahead:,.1f} s after now: Kafka's clock is ahead of ours", advice
    )
