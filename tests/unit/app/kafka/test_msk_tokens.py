"""Tokens for Amazon MSK, signed by its library with credentials that are made up: nothing is asked
of AWS.
"""

import base64
from dataclasses import dataclass, field, replace
from importlib.util import find_spec
from urllib.parse import parse_qs, urlsplit

import pytest
from faust.auth import OAuthCredentials

from app.concerns import KafkaSettings
from app.errors import UnusableSetting
from app.kafka import msk_tokens
from app.kafka.clients import faust_credentials
from app.kafka.login import client_arguments
from app.kafka.msk_tokens import LIBRARY, MskTokenProvider
from app.kafka.tokens import NoToken

MSK = KafkaSettings(security_protocol="SASL_SSL", sasl_mechanism="AWS_MSK_IAM", aws_region="eu-central-1")
SECRET = "sesame-open-sesame-open"

needs_library = pytest.mark.skipif(find_spec(LIBRARY) is None, reason="needs the extra msk")


@dataclass
class Clock:
    now: float = field(default=0.0)

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIASHOP")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET)


@needs_library
@pytest.mark.usefixtures("credentials")
async def test_a_token_is_a_signed_request_to_connect_in_the_region() -> None:
    arguments = client_arguments(MSK)
    assert arguments["sasl_mechanism"] == "OAUTHBEARER"
    token = await arguments["sasl_oauth_token_provider"].token()
    request = urlsplit(base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)).decode())
    query = parse_qs(request.query)
    assert request.hostname == "kafka.eu-central-1.amazonaws.com"
    assert query["Action"] == ["kafka-cluster:Connect"]
    assert query["X-Amz-Credential"][0].startswith("AKIASHOP/")
    assert query["X-Amz-Credential"][0].endswith("/eu-central-1/kafka-cluster/aws4_request")
    assert SECRET not in token
    assert SECRET not in repr(arguments)
    assert isinstance(faust_credentials(MSK), OAuthCredentials)


@needs_library
async def test_a_token_is_kept_until_it_is_about_to_end(monkeypatch: pytest.MonkeyPatch) -> None:
    signed: list[str] = []

    def sign(region: str) -> tuple[str, float]:
        signed.append(region)
        return f"token-{len(signed)}", 900.0 * len(signed)

    monkeypatch.setattr(msk_tokens, "_sign", sign)
    clock = Clock()
    provider = MskTokenProvider("eu-central-1", clock)
    assert [await provider.token(), await provider.token()] == ["token-1", "token-1"]
    clock.now = 869.0
    assert await provider.token() == "token-1"
    clock.now = 870.0
    assert await provider.token() == "token-2"
    assert signed == ["eu-central-1"] * 2


@needs_library
async def test_without_credentials_it_says_what_to_set(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/no/such")
    with pytest.raises(NoToken, match="AWS has no credentials here: set AWS_ACCESS_KEY_ID"):
        await MskTokenProvider("eu-central-1").token()
    monkeypatch.setenv("AWS_PROFILE", "nobody")
    with pytest.raises(NoToken, match=r"no token for the region .*HEADRACE_KAFKA_AWS_REGION.*ProfileNotFound"):
        await MskTokenProvider("eu-central-1").token()


def test_without_the_library_it_says_which_extra_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(msk_tokens, "LIBRARY", "aws_msk_iam_sasl_signer_nowhere")
    with pytest.raises(UnusableSetting, match=r"install the extra, .*\[msk\]"):
        client_arguments(MSK)


@pytest.mark.parametrize(
    ("settings", "named"),
    [
        (replace(MSK, aws_region=""), "needs HEADRACE_KAFKA_AWS_REGION"),
        (replace(MSK, security_protocol="SASL_PLAINTEXT"), "needs HEADRACE_KAFKA_SECURITY_PROTOCOL=SASL_SSL"),
        (replace(MSK, security_protocol="PLAINTEXT"), "HEADRACE_KAFKA_AWS_REGION is set, but"),
    ],
)
def test_settings_that_do_not_fit_are_refused(settings: KafkaSettings, named: str) -> None:
    with pytest.raises(UnusableSetting, match=named):
        client_arguments(settings)
