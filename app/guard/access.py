"""Decides who may ask for what, by bearer tokens (RFC 6750)."""

import hashlib
import hmac
import ipaddress
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Self

from app.concerns import HttpSettings
from app.errors import UnusableSetting

# Static, or about the process alone. The pages hold no data; requests of the console carry the
# token that its user types in.
FREE_PATHS = frozenset({"/healthz", "/readyz", "/", "/api"})
METRICS_PATH = "/metrics"
SCHEME = "bearer "


def tokens_in(text: str) -> tuple[str, ...]:
    """Return the tokens of a setting.

    >>> tokens_in("the-old-token-of-may, the-new-token-of-june")
    ('the-old-token-of-may', 'the-new-token-of-june')
    """
    return tuple(filter(None, map(str.strip, text.split(","))))


@dataclass(frozen=True, slots=True)
class Access:
    """The SHA-256 sums of the tokens that open everything, and of those that open metrics."""

    everything: tuple[bytes, ...] = ()
    metrics: tuple[bytes, ...] = ()

    @classmethod
    def of(cls, settings: HttpSettings) -> Self:
        """Return the access that the settings give."""
        return cls.of_tokens(tokens_in(settings.tokens), tokens_in(settings.metrics_tokens))

    @classmethod
    def of_tokens(cls, everything: Iterable[str], metrics: Iterable[str] = ()) -> Self:
        """Return the access that these tokens give."""
        return cls(tuple(map(_sum, everything)), tuple(map(_sum, metrics)))

    def allows(self, path: str, authorization: str) -> bool:
        """Return whether a request for `path` with this header `Authorization` is answered.

        Without any token that opens it, a path is open to everyone.
        """
        opened_by = self.everything + self.metrics if path == METRICS_PATH else self.everything
        if not opened_by or path in FREE_PATHS:
            return True
        given = authorization[len(SCHEME) :].strip() if authorization.lower().startswith(SCHEME) else ""
        found = _sum(given)
        # Compare with each, in constant time, so that the time tells nothing about a token.
        return bool(sum(hmac.compare_digest(found, each) for each in opened_by))


def check_reach(host: str, settings: HttpSettings, *, variable: str, only_metrics: bool = False) -> None:
    """Raise UnusableSetting if other machines could reach `host` and would need no token.

    `variable` names the setting of the host. `only_metrics`: the process has no other data, so a
    token for metrics is enough.
    """
    enough = tokens_in(settings.tokens) or (only_metrics and tokens_in(settings.metrics_tokens))
    if enough or settings.allow_anyone or is_loopback(host):
        return
    tokens = "HEADRACE_HTTP_TOKENS (or HEADRACE_HTTP_METRICS_TOKENS)" if only_metrics else "HEADRACE_HTTP_TOKENS"
    raise UnusableSetting(
        f"other machines can reach {host}, and anyone could read here: set {tokens}, for example to the output of "
        f"`openssl rand -hex 32`; or {variable}=127.0.0.1; or, if a proxy or a network policy guards the port, "
        "HEADRACE_HTTP_ALLOW_ANYONE=true"
    )


def is_loopback(host: str) -> bool:
    """Return whether only this machine reaches the address.

    >>> is_loopback("127.0.0.1"), is_loopback("0.0.0.0"), is_loopback("shop.example")
    (True, False, False)
    """
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def bearer(settings: HttpSettings) -> dict[str, str]:
    """Return the header with which a process of ours asks another one; none without a token."""
    tokens = tokens_in(settings.tokens)
    return {"Authorization": f"Bearer {tokens[0]}"} if tokens else {}


def _sum(token: str) -> bytes:
    return hashlib.sha256(token.encode(errors="surrogateescape")).digest()
