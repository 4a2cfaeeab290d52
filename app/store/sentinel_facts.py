"""Asks each Sentinel of an address for what it knows of the primary. Changes nothing."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, cast
from urllib.parse import urlsplit

from redis.asyncio import Redis
from redis.exceptions import AuthenticationError, NoPermissionError, RedisError, ResponseError

from app.errors import in_words
from headrace.refusals import timeouts
from headrace.sentinel_address import SentinelAddress


@dataclass(frozen=True, slots=True)
class PrimarySeen:
    """What one Sentinel knows of a primary. `sentinels` and `replicas` are how many it knows of."""

    address: str
    is_down: bool
    replicas: int
    sentinels: int
    quorum: int


@dataclass(frozen=True, slots=True)
class SentinelFacts:
    """What the Sentinels answered, by their places.

    `known` are the primaries of each by name. `no_login` and `no_right` are those that refused the
    login or the command, `others` those that are no Sentinel, `away` the reasons of the rest.
    """

    known: dict[str, Mapping[str, PrimarySeen]] = field(default_factory=dict)
    no_login: dict[str, str] = field(default_factory=dict)
    no_right: dict[str, str] = field(default_factory=dict)
    others: list[str] = field(default_factory=list)
    away: dict[str, str] = field(default_factory=dict)


async def ask_sentinels(where: SentinelAddress, seconds: float) -> SentinelFacts:
    """Ask all at once. Raises nothing that a Sentinel causes."""
    facts = SentinelFacts()
    await asyncio.gather(*(_ask(url, seconds, facts) for url in where.sentinels))
    return facts


async def _ask(url: str, seconds: float, facts: SentinelFacts) -> None:
    place = urlsplit(url).netloc
    try:
        async with Redis.from_url(url, **timeouts(seconds)) as sentinel:
            found = cast(Mapping[str, Mapping[str, Any]], await sentinel.sentinel_masters())
    except AuthenticationError as error:
        facts.no_login[place] = in_words(error)
    except NoPermissionError as error:
        facts.no_right[place] = in_words(error)
    except ResponseError as error:
        if "NOAUTH" in str(error) or "Authentication required" in str(error):
            facts.no_login[place] = in_words(error)
        elif "unknown command" in str(error).lower():
            facts.others.append(place)
        else:
            facts.away[place] = in_words(error)
    except (RedisError, OSError) as error:
        facts.away[place] = in_words(error)
    else:
        facts.known[place] = {name: _seen(state) for name, state in found.items()}


def _seen(state: Mapping[str, Any]) -> PrimarySeen:
    return PrimarySeen(
        address=f"{state['ip']}:{state['port']}",
        is_down=bool(state["is_sdown"] or state["is_odown"] or not state["is_master"]),
        replicas=int(state["num-slaves"]),
        sentinels=int(state["num-other-sentinels"]) + 1,
        quorum=int(state["quorum"]),
    )
