"""Signs tokens for Amazon MSK with AWS credentials, by the library of Amazon MSK (extra `msk`).

To Kafka's clients the login is OAUTHBEARER. The credentials are those that every AWS program finds:
variables, a profile, or the role of a pod or machine.
"""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from importlib import import_module
from importlib.util import find_spec

from aiokafka.abc import AbstractTokenProvider  # type: ignore[import-untyped]  # ships no types
from typing_extensions import override

from app.errors import UnusableSetting, install_line
from app.kafka.tokens import MARGIN_SECONDS, NoToken

LIBRARY = "aws_msk_iam_sasl_signer"
REGION = "HEADRACE_KAFKA_AWS_REGION"


@dataclass(slots=True)
class MskTokenProvider(AbstractTokenProvider):  # type: ignore[misc]  # the class has no types
    """Gives each connection a token, which is signed again before it ends. `clock` gives seconds
    since 1970.
    """

    region: str
    clock: Callable[[], float] = time.time
    _token: str = field(default="", repr=False)
    _until: float = 0.0

    def __post_init__(self) -> None:
        """Raise UnusableSetting where the library is not installed."""
        if find_spec(LIBRARY) is None:
            raise UnusableSetting(
                "HEADRACE_KAFKA_SASL_MECHANISM=AWS_MSK_IAM needs one more package; "
                f"install the extra, {install_line('msk')}"
            )

    @override
    async def token(self) -> str:
        """Return a token. Raises NoToken."""
        if self.clock() >= self._until:
            self._token, ends = await asyncio.to_thread(_sign, self.region)
            self._until = ends - MARGIN_SECONDS
        return self._token


def _sign(region: str) -> tuple[str, float]:
    """Return a token and when it ends. The credentials may come from a network."""
    signer = import_module(f"{LIBRARY}.MSKAuthTokenProvider")
    try:
        token, milliseconds = signer.generate_auth_token(region)
    except AttributeError:  # what the library says of credentials that are not there
        raise NoToken("AWS has no credentials here: set AWS_ACCESS_KEY_ID, AWS_PROFILE or a role") from None
    except Exception as error:  # botocore has dozens of errors, of which some repeat a key
        raise NoToken(f"AWS gives no token for the region {region} ({REGION}): {type(error).__name__}") from None
    return str(token), milliseconds / 1000
