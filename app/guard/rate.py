"""Limits how many requests a second one client may send: a token bucket for each address."""

import ipaddress
from collections.abc import Callable
from functools import lru_cache

MOST_CLIENTS = 10_000
IPV6_NETWORK_BITS = 64


class RateLimit:
    """Allows `per_second` requests a second from one client, after a burst of one second's.

    A client is an IPv4 address or an IPv6 network of 64 bits, as one machine may use a whole such
    network. At most 10,000 clients are remembered; the one that asked longest ago makes room.
    `clock` gives seconds. 0 requests a second means no limit.
    """

    def __init__(self, per_second: float, clock: Callable[[], float]) -> None:
        self._rate = per_second
        self._burst = max(1.0, per_second)
        self._clock = clock
        self._left: dict[str, tuple[float, float]] = {}  # client -> requests left, and when

    def wait_for(self, address: str | None) -> float:
        """Count a request. Returns 0 if it is allowed, else after how many seconds one would be."""
        if not self._rate:
            return 0.0
        client, now = client_of(address or ""), self._clock()
        left, at = self._left.pop(client, (self._burst, now))
        left = min(self._burst, left + (now - at) * self._rate)
        wait = 0.0 if left >= 1.0 else (1.0 - left) / self._rate
        if len(self._left) >= MOST_CLIENTS:
            self._left.pop(next(iter(self._left)))  # the one that asked longest ago: each request moves to the end
        self._left[client] = (left if wait else left - 1.0, now)
        return wait


@lru_cache(MOST_CLIENTS)
def client_of(address: str) -> str:
    """Return the client that an address belongs to.

    >>> client_of("10.0.0.7"), client_of("2001:db8:1:2:3:4:5:6")
    ('10.0.0.7', '2001:db8:1:2::/64')
    """
    try:
        found = ipaddress.ip_address(address)
    except ValueError:  # a unix socket has no address
        return address
    if isinstance(found, ipaddress.IPv6Address) and found.ipv4_mapped is None:
        return str(ipaddress.ip_network((int(found), IPV6_NETWORK_BITS), strict=False))
    return str(getattr(found, "ipv4_mapped", None) or found)
