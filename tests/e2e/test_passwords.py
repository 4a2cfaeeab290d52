"""No command prints a password of Redis, even one that was not percent-encoded."""

import os
import subprocess

import pytest
from workers import HEADRACE

from app.concerns import KafkaSettings

ENVIRONMENT = {name: value for name, value in os.environ.items() if not name.startswith("HEADRACE_")}
SLOW = (["worker"], ["run", "--once"])
QUICK = (["serve", "--port", "0"], ["doctor"], ["doctor", "--json"])


def output(command: list[str], **settings: str) -> str:
    done = subprocess.run(
        [HEADRACE, *command], env=ENVIRONMENT | settings, capture_output=True, check=False, text=True, timeout=120
    )
    # `doctor` did look, and found a fault; the others were given a setting of no use.
    assert done.returncode == (1 if command[0] == "doctor" else 2)
    return done.stdout + done.stderr


@pytest.mark.parametrize(
    ("command", "sign"),
    [(command, sign) for command in (*SLOW, *QUICK) for sign in ("#", "/")]
    + [(command, sign) for command in QUICK for sign in ("?", "#@", "/ %")],
)
def test_an_address_that_is_not_encoded_is_refused_without_showing_it(
    kafka: KafkaSettings, command: list[str], sign: str
) -> None:
    url = f"redis://:SesA{sign}SesB@127.0.0.1:1/0"
    shown = output(command, HEADRACE_REDIS_URL=url, HEADRACE_KAFKA_BOOTSTRAP=kafka.bootstrap, HEADRACE_WORKER_PORT="0")
    assert "SesA" not in shown
    assert "SesB" not in shown
    assert "percent-encode user and password: %23 for #" in shown
    assert "Traceback" not in shown


@pytest.mark.parametrize("level", ["info", "debug"])
def test_what_doctor_tells_of_a_redis_that_is_away_hides_an_encoded_password(level: str) -> None:
    shown = output(
        ["doctor"],
        HEADRACE_REDIS_URL="redis://shop:Ses%23A@127.0.0.1:1/0",
        HEADRACE_KAFKA_BOOTSTRAP="127.0.0.1:1",
        HEADRACE_LOG_LEVEL=level,
    )
    assert "Ses" not in shown
    assert "redis://shop:***@127.0.0.1:1/0" in shown
