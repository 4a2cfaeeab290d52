"""A line that is too long for any record is refused, and is not held in memory."""

import subprocess
import sys
from pathlib import Path

import pytest

from app.datasets.folder import open_dataset
from app.datasets.lines import LONGEST_LINE
from app.filecheck.count import CheckedSource, check_log
from models.contract.event_codec import EventSettings

NOW = 1_760_000_000.0
EVENT = '{"event_id":"%d","ts":1700000000,"user_id":"ada","item_id":"i","kind":"view"}\n'
# In a process of its own: the most memory that it ever had, in KiB, above that of a small file.
PEAK = """
import resource, sys
from pathlib import Path
from app.datasets.folder import open_dataset
from app.filecheck.count import check_log
from models.contract.event_codec import EventSettings
peaks = []
for path in sys.argv[1:]:
    check_log(open_dataset(Path(path)), EventSettings(), 1.76e9, None)
    peaks.append(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
print(peaks[1] - peaks[0])
"""


def checked(path: Path) -> CheckedSource:
    [source] = check_log(open_dataset(path), EventSettings(), NOW, None).sources
    return source


def write(path: Path, filler: int) -> Path:
    """Write three rows, of which the second one is longer than any record by far."""
    if path.suffix == ".csv":
        rows = [
            "event_id,ts,user_id,item_id,kind\n",
            "1,1700000000,u,i,view\n",
            f"2,1700000000,{'x' * filler},i,view\n",
        ]
        path.write_text("".join([*rows, "3,1700000000,u,i,view\n"]))
    else:
        path.write_text(EVENT % 1 + '{"event_id":"2"}' + " " * filler + "\n" + EVENT % 3)
    return path


@pytest.mark.parametrize(("name", "reason"), [("long.jsonl", "too_large"), ("long.csv", "invalid_value")])
def test_a_line_that_is_too_long_costs_one_row(name: str, reason: str, tmp_path: Path) -> None:
    source = checked(write(tmp_path / name, LONGEST_LINE))
    assert (source.accepted.total(), source.rejected) == (2, 1)
    [complaint] = source.complaints
    assert (complaint.reason, complaint.rows[0].row) == (reason, 2)
    assert "16,777,216" in complaint.rows[0].detail


@pytest.mark.parametrize("encoding", ["utf-16", "utf-8"])
def test_a_line_at_the_end_without_an_end_is_read_as_any_other(encoding: str, tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    path.write_text((EVENT % 1 + EVENT % 2).rstrip("\n"), encoding=encoding)
    assert checked(path).accepted.total() == 2


@pytest.mark.parametrize("name", ["long.jsonl", "long.csv"])
def test_a_line_without_end_needs_no_more_memory_than_a_bound(name: str, tmp_path: Path) -> None:
    small, large = write(tmp_path / f"small-{name}", 10), write(tmp_path / name, 8 * LONGEST_LINE)
    done = subprocess.run([sys.executable, "-c", PEAK, small, large], capture_output=True, text=True, check=True)
    assert int(done.stdout) < 4 * LONGEST_LINE // 1024  # the line itself has twice as much


def test_an_array_on_one_line_is_not_made_of_objects_all_at_once(tmp_path: Path) -> None:
    small, large = tmp_path / "small.json", tmp_path / "large.json"
    for path, count in ((small, 2), (large, 400_000)):
        path.write_text("[" + ",".join(EVENT.rstrip("\n") % n for n in range(count)) + "]")
    done = subprocess.run([sys.executable, "-c", PEAK, small, large], capture_output=True, text=True, check=True)
    assert int(done.stdout) * 1024 < 4 * large.stat().st_size
