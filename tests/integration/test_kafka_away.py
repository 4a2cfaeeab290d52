"""What commands say when no Kafka answers: one line, with the setting to look at."""

import pytest

from app.main import main


@pytest.mark.parametrize(
    "command", [["quarantine", "stats"], ["quarantine", "list"], ["ranker", "show"], ["ranker", "rollback"]]
)
def test_a_command_that_reads_kafka_says_in_one_line_what_to_set(
    command: list[str], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HEADRACE_KAFKA_BOOTSTRAP", "127.0.0.1:1")
    assert main(command) == 1
    said = capsys.readouterr().err
    assert said == (
        "headrace: no Kafka answers at 127.0.0.1:1; check HEADRACE_KAFKA_BOOTSTRAP, the broker's address as host:port\n"
    )
