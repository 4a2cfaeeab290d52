"""`headrace evaluate` on a log with a known future."""

import subprocess
from pathlib import Path

import orjson
from workers import HEADRACE


def evaluate(*arguments: str | Path) -> "subprocess.CompletedProcess[bytes]":
    return subprocess.run([HEADRACE, "evaluate", *map(str, arguments)], capture_output=True, check=False)


def test_the_next_click_in_bol_com_s_sessions_is_found_more_often_than_published(shop_data: Path) -> None:
    done = evaluate(shop_data / "bolcom_serenade_toy", "--protocol", "session", "--json")

    result = orjson.loads(done.stdout)
    assert result["predictions"] == 931
    assert result["hit_rate@20"] >= 0.6638  # Serenade's tuned settings; its shipped ones reach 0.6402
    assert result["mrr@20"] >= 0.3401  # likewise; shipped 0.3277
    assert result["ndcg@20"] >= 0.3553
    assert 0 < result["coverage@20"] <= 1
    assert 0 < result["predict_seconds"]["p50"] <= result["predict_seconds"]["p90"] <= result["predict_seconds"]["p99"]


def test_lines_without_times_are_evaluated_in_their_order(tmp_path: Path) -> None:
    (tmp_path / "train_sessions.txt").write_text("a b\na b\nc d\n")
    (tmp_path / "test_cases.txt").write_text("a\tb\nc\td\nx\ty\n")

    result = orjson.loads(evaluate(tmp_path, "--json").stdout)

    assert result["predictions"] == 3
    assert result["hit_rate@20"] == round(2 / 3, 4)


def test_a_log_is_split_at_a_time(tmp_path: Path) -> None:
    rows = [f"{n},{ts},,s{n // 2},{'ab'[n % 2]},click" for n, ts in enumerate([100, 101, 200, 201, 300, 301])]
    (tmp_path / "events.csv").write_text("\n".join(["event_id,ts,user_id,session_id,item_id,kind", *rows]) + "\n")

    result = orjson.loads(evaluate(tmp_path, "--from", "1970-01-01T00:05:00Z", "--json").stdout)

    assert (result["predictions"], result["hit_rate@20"]) == (1, 1.0)


def test_a_log_that_nothing_splits_is_explained(tmp_path: Path) -> None:
    (tmp_path / "events.csv").write_text("event_id,ts,user_id,session_id,item_id,kind\n1,5,u,s,a,click\n")

    done = evaluate(tmp_path)

    assert done.returncode == 1
    assert b"--from TIME" in done.stderr
    assert b"Traceback" not in done.stderr
