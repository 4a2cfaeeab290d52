"""Checks the address of Redis before it is used, and shows it without its password.

A password that holds a #, / or ? and is not percent-encoded changes the address: a part of the
password becomes the host, the port or the database, and clients write these into their messages.
"""

import inspect
import re
from urllib.parse import SplitResult, urlsplit

from redis.asyncio.connection import (
    URL_QUERY_ARGUMENT_PARSERS,
    AbstractConnection,
    Connection,
    SSLConnection,
    UnixDomainSocketConnection,
)

from headrace.errors import UnusableSetting
from headrace.sentinel_address import EXAMPLE, LOGIN_OPTIONS, is_sentinel, read_sentinel

HIDDEN = "***"
SCHEME = re.compile(r"(redis|rediss|unix|rediss?\+sentinel)://", re.IGNORECASE)
# Hosts with ports, and nothing else, between the user and the database.
SEVERAL_HOSTS = re.compile(
    r"(?P<head>rediss?://(?:[^/?#]*@)?)(?P<hosts>[^/?#@,]+(?:,[^/?#@,]+)+)(?P<tail>(?:[/?].*)?)", re.IGNORECASE
)
PORT = 6379
DATABASE = re.compile(r"/?\d*/?", re.ASCII)
CLASSES = (AbstractConnection, Connection, SSLConnection, UnixDomainSocketConnection)
OPTIONS = frozenset(URL_QUERY_ARGUMENT_PARSERS).union(*(inspect.signature(each).parameters for each in CLASSES))
SECRET_OPTIONS = ("username", "password", *LOGIN_OPTIONS)
NO_SENTINELS = f"it needs Sentinels and the name of their primary, as in {EXAMPLE}"
WAY_OUT = (
    "write redis://host:6379/0 or redis://user:password@host:6379/0, and percent-encode user and password: "
    "%23 for #, %2F for /, %3F for ?, %40 for @, %25 for %, %20 for a space"
)


def check_address(url: str) -> None:
    """Raise UnusableSetting if the address cannot be used.

    The message shows no part of the address.
    """
    if problem := next(filter(None, map(_problem, addresses(url))), ""):
        raise bad_address(problem)


def addresses(url: str) -> list[str]:
    """Return an address for each of the hosts that one names, as for the nodes of a cluster.

    >>> addresses("redis://shop@a:7000,b:7001/0")
    ['redis://shop@a:7000/0', 'redis://shop@b:7001/0']
    """
    found = SEVERAL_HOSTS.fullmatch(url.strip())
    if found is None:
        return [url]
    return [f"{found['head']}{host}{found['tail']}" for host in found["hosts"].split(",")]


def host_of(url: str) -> tuple[str, int]:
    """Return host and port of an address that can be used."""
    parts = urlsplit(url.strip())
    return parts.hostname or "localhost", parts.port or PORT


def bad_address(problem: str) -> UnusableSetting:
    """Return the error for an address that cannot be used."""
    return UnusableSetting(f"HEADRACE_REDIS_URL cannot be used: {problem}; {WAY_OUT}")


def shown_address(url: str) -> str:
    """Return the address without its password.

    Of an address that cannot be used, only the scheme is shown.

    >>> shown_address("redis://shop:sesame@store:6379/0")
    'redis://shop:***@store:6379/0'
    >>> shown_address("redis://:ses#ame@store:6379/0")
    'redis://***'
    """
    each = addresses(url)
    if is_sentinel(url) and not _problem(url):
        return _shown(urlsplit(url.strip()))
    if len(each) > 1 and not any(map(_problem, each)):
        first, _, tail = shown_address(each[0]).rpartition(urlsplit(each[0]).netloc.rpartition("@")[2])
        return first + ",".join(urlsplit(one).netloc.rpartition("@")[2] for one in each) + tail
    if _problem(url):
        scheme = SCHEME.match(url.strip())
        return f"{scheme[0] if scheme else ''}{HIDDEN}"
    return _shown(urlsplit(url.strip()))


def _shown(parts: SplitResult) -> str:
    userinfo, at, host = parts.netloc.rpartition("@")
    user, colon, _ = userinfo.partition(":")
    # a password without a user may lack its colon
    hidden = f"{user}:{HIDDEN}@" if colon else f"{HIDDEN}@" if at else ""
    pairs = (pair.partition("=") for pair in parts.query.split("&"))
    query = "&".join(f"{name}={HIDDEN if name in SECRET_OPTIONS else value}" for name, _, value in pairs)
    return f"{parts.scheme}://{hidden}{host}{parts.path}" + (f"?{query}" if parts.query else "")


def _problem(url: str) -> str:
    """Return what is wrong with the address, without a part of it; an empty text if nothing is."""
    url = url.strip()
    if not SCHEME.match(url):
        return "it does not begin with redis://, rediss://, unix:// or redis+sentinel://"
    if not url.isprintable():
        return "it holds characters that cannot be printed"
    if "#" in url:
        return "it holds a #"
    if is_sentinel(url):
        where = read_sentinel(url)
        problems = map(_problem, (*where.sentinels, where.server)) if where else iter([NO_SENTINELS])
        return next(filter(None, problems), "")
    try:
        parts = urlsplit(url)
        _ = parts.port  # raises ValueError if it is not a port
    except ValueError:
        return "its host or port cannot be read"
    return _part_problem(parts)


def _part_problem(parts: SplitResult) -> str:
    if _is_odd_query(parts.query):
        return "what follows the ? is no option of a Redis client"
    if parts.scheme == "unix":
        at_fault = not parts.path or "@" in parts.path or bool(parts.hostname)
        return "unix:// needs the whole path of the socket, as in unix:///run/redis.sock" if at_fault else ""
    return "" if DATABASE.fullmatch(parts.path) else "what follows the host is not the number of a database"


def _is_odd_query(query: str) -> bool:
    for pair in filter(None, query.split("&")):
        name, given, value = pair.partition("=")
        if not given or name not in OPTIONS or ("@" in value and name not in SECRET_OPTIONS):
            return True
    return False
