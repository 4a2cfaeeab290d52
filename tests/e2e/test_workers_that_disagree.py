"""A worker with other settings than those that run refuses to work, and names the settings."""

import subprocess
from pathlib import Path

from workers import HEADRACE, doctor, environment, running_worker, until

from app.concerns import KafkaSettings, RedisSettings


def test_a_newcomer_with_other_settings_ends_with_their_names_and_works_once_it_is_alone(
    kafka: KafkaSettings, redis_settings: RedisSettings, tmp_path: Path
) -> None:
    first = environment(kafka, redis_settings)
    other = {**first, "HEADRACE_RANKING_SIZE": "10", "HEADRACE_LOG_LEVEL": "debug"}
    with running_worker(first, tmp_path / "first.log") as worker:
        refused = subprocess.run(
            [HEADRACE, "worker"], env=other, capture_output=True, text=True, timeout=90, check=False
        )
        assert refused.returncode == 1, refused.stderr
        last = refused.stderr.splitlines()[-1]
        assert "HEADRACE_RANKING_SIZE is 10 here and 20 there" in last
        assert "Traceback" not in refused.stderr
        assert worker.process.poll() is None
        with running_worker({**first, "HEADRACE_LOG_LEVEL": "debug"}, tmp_path / "second.log"):
            assert doctor(first)["workers"].startswith("2 run")
            assert "HEADRACE_RANKING_SIZE is 10 here" in doctor(other)["workers"]
            # The embedded broker keeps the leader of a group for ever if it leaves while the group
            # is settling after another one left; so it goes first.
            worker.stop()
    with running_worker(other, tmp_path / "alone.log"):
        assert doctor(other)["workers"].startswith("1 runs")


def test_a_killed_worker_keeps_the_next_one_waiting_for_seconds_only(
    kafka: KafkaSettings, redis_settings: RedisSettings, tmp_path: Path
) -> None:
    first = environment(kafka, redis_settings)
    with running_worker(first, tmp_path / "first.log") as worker:
        worker.kill()
        with running_worker({**first, "HEADRACE_RANKING_SIZE": "10"}, tmp_path / "next.log") as following:
            until(lambda: following.process.poll() is None)
    assert "other settings" not in (tmp_path / "next.log").read_text()


def test_with_a_warning_workers_of_two_settings_run_beside_each_other(
    kafka: KafkaSettings, redis_settings: RedisSettings, tmp_path: Path
) -> None:
    first = environment(kafka, redis_settings)
    other = {**first, "HEADRACE_RANKING_SIZE": "10", "HEADRACE_WORKER_ON_DIFFERENCE": "warn"}
    with running_worker(first, tmp_path / "first.log"), running_worker(other, tmp_path / "other.log"):
        assert "HEADRACE_RANKING_SIZE is 10 here and 20 there" in (tmp_path / "other.log").read_text()
        assert "others there: " in doctor(first)["workers"]
