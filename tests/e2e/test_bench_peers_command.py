"""`headrace bench peers` as a user meets it: all contenders on the same predictions."""

import os
import subprocess
from pathlib import Path

import orjson
from workers import HEADRACE


def test_all_contenders_predict_the_same_events(tmp_path: Path) -> None:
    rows = [f"{100 * visit + at},s{visit},{(visit + at) % 7},view" for visit in range(80) for at in range(4)]
    (tmp_path / "events.csv").write_text("\n".join(["ts,session_id,item_id,kind", *rows]) + "\n")
    kept = {name: value for name, value in os.environ.items() if not name.startswith("HEADRACE_")}

    command = [HEADRACE, "bench", "peers", "--data", str(tmp_path), "--json"]
    done = subprocess.run(command, env=kept, capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stderr
    result = orjson.loads(done.stdout)
    contenders = result["contenders"]
    assert {"popularity", "transitions", "item-kNN", "STAN", "headrace, learned"} <= set(contenders)
    assert {each["predictions"] for each in contenders.values()} == {3 * 16}  # of the newest fifth of 80 sessions
    # Seven items only: whoever lists all of them but the one being looked at is always right.
    assert contenders["popularity"]["hit_rate@20"]["mean"] == 1.0
    assert contenders["transitions"]["mrr@20"]["mean"] == 1.0 > contenders["popularity"]["mrr@20"]["mean"]
    assert result["left_out"][0] == "catalogue: no items file is beside the events"
