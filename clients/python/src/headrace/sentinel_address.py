"""Reads the address of a Redis primary that Sentinels name, without touching Redis.

One text holds all of it: the Sentinels, the name by which they know the primary, and the logins.
"""

import re
from dataclasses import dataclass, field

PORT = 26_379
SCHEME = re.compile(r"rediss?\+sentinel://", re.IGNORECASE)
EXAMPLE = "redis+sentinel://host:26379,host:26379/mymaster/0"
# A name that Redis Sentinel takes; an @ in it would be the end of a password with a slash.
ADDRESS = re.compile(
    r"(?P<scheme>rediss?)\+sentinel://(?P<login>[^/?#]*@)?(?P<hosts>[^/?#@]+)/(?P<name>[A-Za-z0-9._-]+)"
    r"(?P<database>/\d*)?(?:\?(?P<query>.*))?",
    re.IGNORECASE,
)
LOGIN_OPTIONS = {"sentinel_username": "username", "sentinel_password": "password"}
# Of the options of a connection, those that hold for a Sentinel too.
SHARED_OPTIONS = ("ssl_", "socket_")


@dataclass(frozen=True, slots=True)
class SentinelAddress:
    """`sentinels` are an address of each, with its login; `name` is the primary's, and `server` the
    address of whichever server that is, with `localhost` in place of its host. Its text shows no
    login.
    """

    sentinels: tuple[str, ...] = field(repr=False)
    name: str
    server: str = field(repr=False)


def is_sentinel(url: str) -> bool:
    """Whether the address names Sentinels; it may still be unusable."""
    return bool(SCHEME.match(url.strip()))


def read_sentinel(url: str) -> SentinelAddress | None:
    """Return the parts of an address that names Sentinels; None where they cannot be told apart.

    >>> found = read_sentinel("redis+sentinel://shop:sesame@a,b:7000/mymaster/1?sentinel_password=open")
    >>> found.sentinels
    ('redis://a:26379?password=open', 'redis://b:7000?password=open')
    >>> found.name, found.server
    ('mymaster', 'redis://shop:sesame@localhost/1')
    """
    found = ADDRESS.fullmatch(url.strip())
    if found is None:
        return None
    pairs = [pair for pair in (found["query"] or "").split("&") if pair]
    own = [pair for pair in pairs if pair.partition("=")[0] not in LOGIN_OPTIONS]
    theirs = [pair for pair in own if pair.startswith(SHARED_OPTIONS)]
    for pair in pairs:
        option, _, value = pair.partition("=")
        if option in LOGIN_OPTIONS:
            theirs.append(f"{LOGIN_OPTIONS[option]}={value}")
    scheme = found["scheme"].lower()
    hosts = (f"{scheme}://{_with_port(host)}{_query(theirs)}" for host in found["hosts"].split(","))
    server = f"{scheme}://{found['login'] or ''}localhost{found['database'] or ''}{_query(own)}"
    return SentinelAddress(tuple(hosts), found["name"], server)


def no_primary(name: str) -> str:
    """Return what to say where no Sentinel names a primary that lives."""
    return (
        f"no Sentinel names a primary {name!r} that lives: is that its name in HEADRACE_REDIS_URL, "
        "and do the Sentinels answer?"
    )


def _with_port(host: str) -> str:
    bare = re.sub(r"^\[[^\]]*\]", "", host)
    return host if ":" in bare else f"{host}:{PORT}"


def _query(pairs: list[str]) -> str:
    return f"?{'&'.join(pairs)}" if pairs else ""
