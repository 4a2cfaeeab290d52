"""Tokens of OAUTHBEARER: from a file that others write again, or from a command."""

import base64
import sys
from pathlib import Path

import orjson
import pytest

from app.kafka.tokens import NoToken, TokenProvider

NOW = 1_760_000_000.0


def token_until(end: float) -> str:
    def part(content: dict[str, object]) -> str:
        return base64.urlsafe_b64encode(orjson.dumps(content)).decode().rstrip("=")

    return f"{part({'alg': 'none'})}.{part({'sub': 'shop', 'exp': end})}."


class Clock:
    now = NOW

    def __call__(self) -> float:
        return self.now


def printing(file: Path) -> str:
    """A command that prints a file."""
    return f"{sys.executable} -c \"print(open('{file}').read())\""


async def test_a_file_is_read_for_each_connection(tmp_path: Path) -> None:
    file = tmp_path / "token"
    provider = TokenProvider(str(file), "")
    file.write_text("first\n")
    assert await provider.token() == "first"
    file.write_text("second\n")
    assert await provider.token() == "second"


async def test_a_command_is_run_again_shortly_before_its_token_ends(tmp_path: Path) -> None:
    file, clock = tmp_path / "token", Clock()
    provider = TokenProvider("", printing(file), clock)
    first, second = token_until(NOW + 300), token_until(NOW + 600)
    file.write_text(first)
    assert await provider.token() == first
    file.write_text(second)
    clock.now = NOW + 269
    assert await provider.token() == first
    clock.now = NOW + 270
    assert await provider.token() == second


async def test_of_a_short_life_four_fifths_are_used(tmp_path: Path) -> None:
    file, clock = tmp_path / "token", Clock()
    provider = TokenProvider("", printing(file), clock)
    file.write_text(token_until(NOW + 10))
    first = await provider.token()
    file.write_text("next")
    clock.now = NOW + 7.9
    assert await provider.token() == first
    clock.now = NOW + 8
    assert await provider.token() == "next"


@pytest.mark.parametrize("opaque", ["opaque", "a.b.c", "a.bnVsbA.c", "a.e30.c"])
async def test_a_token_without_a_known_end_is_used_for_a_minute(tmp_path: Path, opaque: str) -> None:
    file, clock = tmp_path / "token", Clock()
    provider = TokenProvider("", printing(file), clock)
    file.write_text(opaque)
    assert await provider.token() == opaque
    file.write_text("next")
    clock.now = NOW + 59
    assert await provider.token() == opaque
    clock.now = NOW + 60
    assert await provider.token() == "next"


@pytest.mark.parametrize(
    ("file", "command", "reason"),
    [
        ("/no/such/token", "", "HEADRACE_KAFKA_SASL_TOKEN_FILE=/no/such/token cannot be read: No such file"),
        ("/dev/null", "", "HEADRACE_KAFKA_SASL_TOKEN_FILE=/dev/null is empty"),
        ("", "false", "HEADRACE_KAFKA_SASL_TOKEN_COMMAND ended with status 1 and printed no token"),
        ("", "true", "HEADRACE_KAFKA_SASL_TOKEN_COMMAND ended with status 0 and printed no token"),
        ("", "/no/such/command --secret sesame", "HEADRACE_KAFKA_SASL_TOKEN_COMMAND cannot be run: No such file"),
        ("", "echo 'sesame", "HEADRACE_KAFKA_SASL_TOKEN_COMMAND cannot be run: its quotes do not match"),
    ],
)
async def test_without_a_token_the_setting_is_named_and_the_command_is_not_shown(
    file: str, command: str, reason: str
) -> None:
    provider = TokenProvider(file, command)
    with pytest.raises(NoToken) as raised:
        await provider.token()
    assert reason in str(raised.value)
    assert "sesame" not in str(raised.value) + repr(provider)


async def test_a_command_that_fails_shows_nothing_of_what_it_printed() -> None:
    provider = TokenProvider("", "sh -c 'echo sesame; exit 3'")
    with pytest.raises(NoToken, match="ended with status 3 and printed a token") as raised:
        await provider.token()
    assert "sesame" not in str(raised.value)
