"""Hold the instructions that the pure core takes per event to a baseline: `make bench-check`.

Processor time differs between machines and from minute to minute; executed instructions hardly do.
Callgrind counts them: the core runs under valgrind, which is told at both ends of each step to note
its count. Everything is compiled before, for a general x86-64 processor, in a process of its own.
`--record` writes the counts as the new baseline: after a change that is worth its price, or of
Python, numpy or numba.
"""

import argparse
import ctypes
import mmap
import os
import platform
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TypeVar

import orjson

from app.bench.core import STEPS, Core, batches, learn_catalogue
from app.bench.generated import LogSize, catalogue, generate, records
from app.bench.log import bench_log
from app.datasets.record import Dataset
from app.datasets.sample import sample_dataset
from app.settings import Settings, load
from models.core.warm_up import warm_up

T = TypeVar("T")

BASELINE = Path(__file__).with_name("bench_baseline.json")
CACHE = Path(".cache/bench-check")
LOGS = ("generated", "sample")
LEARNED, COUNTED, PARTITIONS, BATCH = 4_000, 4_000, 2, 500
TOLERANCE = 0.05
# valgrind's request, which does nothing elsewhere: mov rax, rdi; xor edx, edx; rol rdi, 3, 13, 61,
# 51; xchg rbx, rbx; mov rax, rdx; ret
REQUEST = bytes.fromhex("4889f831d248c1c70348c1c70d48c1c73d48c1c7334887db4889d0c3")
CALLGRIND = ord("C") << 24 | ord("T") << 16
ZERO, DUMP_AT, START = CALLGRIND + 1, CALLGRIND + 3, CALLGRIND + 4


class Valgrind:
    """Requests to the valgrind that runs this process."""

    def __init__(self) -> None:
        self._code = mmap.mmap(-1, mmap.PAGESIZE, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
        self._code.write(REQUEST)
        address = ctypes.addressof(ctypes.c_char.from_buffer(self._code))
        self._call = ctypes.CFUNCTYPE(ctypes.c_uint64, ctypes.c_void_p)(address)

    def request(self, what: int, text: bytes = b"") -> None:
        """Ask for something, with one argument."""
        argument = ctypes.create_string_buffer(text)
        arguments = (ctypes.c_uint64 * 6)(what, ctypes.addressof(argument))
        self._call(ctypes.addressof(arguments))


class CountedCore(Core):
    """Counts instructions instead of seconds, once it is told to."""

    valgrind: Valgrind | None = None

    def timed(self, step: str, call: Callable[[], T]) -> T:
        """What the call gives; valgrind notes what it took."""
        if self.valgrind is None:
            return call()
        self.valgrind.request(ZERO)
        done = call()
        self.valgrind.request(DUMP_AT, step.encode())
        return done


def main() -> int:
    """Count, and compare with the baseline; the exit status is 1 when something got dearer."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--record", action="store_true", help="write what is counted as the new baseline")
    parser.add_argument("--count", choices=LOGS, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.count:
        return run(args.count, load(os.environ))
    if platform.machine() != "x86_64" or shutil.which("valgrind") is None:
        sys.stderr.write("bench-check needs valgrind on x86-64 (Debian: apt install valgrind); nothing was checked\n")
        return 2
    counts = {log: count(log) for log in LOGS}
    if args.record:
        content = {"tolerance": TOLERANCE, "instructions_per_event": counts}
        BASELINE.write_bytes(orjson.dumps(content, option=orjson.OPT_INDENT_2) + b"\n")
        return 0
    baseline = orjson.loads(BASELINE.read_bytes())
    dearer = list(compare(counts, baseline["instructions_per_event"], baseline["tolerance"]))
    sys.stderr.write("".join(f"{line}\n" for line in dearer))
    return 1 if dearer else 0


def compare(counts: dict[str, dict[str, int]], baseline: dict[str, dict[str, int]], tolerance: float) -> Iterator[str]:
    """A line for each step of a log that takes more instructions than the baseline and its
    tolerance allow.
    """
    for log, steps in counts.items():
        for step, found in steps.items():
            known = baseline[log][step]
            if found > known * (1 + tolerance):
                yield (
                    f"{log} log, step {step}: {found:,} instructions an event, {found / known - 1:.0%} more than the "
                    f"{known:,} of the baseline; {tolerance:.0%} are allowed. "
                    "If the change is worth it: make bench-check ARGS=--record"
                )


def count(log: str) -> dict[str, int]:
    """Instructions per event of each step on this log."""
    CACHE.mkdir(parents=True, exist_ok=True)
    environment = {name: value for name, value in os.environ.items() if not name.startswith("HEADRACE_")} | {
        "NUMBA_CPU_NAME": "generic", "NUMBA_CACHE_DIR": str(CACHE.absolute()), "PYTHONHASHSEED": "0",
    }  # fmt: skip
    command = [sys.executable, __file__, "--count", log]
    sys.stderr.write(f"{log} log: compiling, then counting under valgrind\n")
    subprocess.run(command, env=environment, check=True, stdout=subprocess.DEVNULL)
    with TemporaryDirectory() as folder:
        options = ["--tool=callgrind", "--quiet", "--instr-atstart=no", f"--callgrind-out-file={folder}/out"]
        done = subprocess.run(
            ["valgrind", *options, *command], env=environment, check=True, stdout=subprocess.PIPE, text=True
        )
        totals = dict.fromkeys(STEPS, 0)
        for dump in Path(folder).iterdir():
            content = dump.read_text(errors="replace")
            step = re.search(r"^desc: Trigger: Client Request: (\w+)$", content, re.MULTILINE)
            total = re.search(r"^(?:summary|totals): (\d+)$", content, re.MULTILINE)
            if step and total:
                totals[step[1]] += int(total[1])
    if not all(totals.values()):
        raise SystemExit(f"valgrind counted nothing for a step: {totals}")
    counts = {step: round(total / int(done.stdout)) for step, total in totals.items()}
    sys.stderr.write(f"{log} log: {counts}\n")
    return counts


def run(log: str, settings: Settings) -> int:
    """Let the core learn the log's first events, then count the next ones."""
    dataset = generated() if log == "generated" else sample_dataset(settings.embedded)
    warm_up(settings.recommender, settings.events)
    rows = list(islice(bench_log(dataset.events, LEARNED + COUNTED), LEARNED + COUNTED))
    core = CountedCore.of(settings, len(rows))
    learn_catalogue(dataset, core.recommender, settings)
    before = 0
    for batch in batches(rows, PARTITIONS, BATCH):
        if core.events >= LEARNED and core.valgrind is None:
            before, core.valgrind = core.events, Valgrind()
            core.valgrind.request(START)
        core.handle(batch)
    sys.stdout.write(f"{core.events - before}\n")
    return 0


def generated() -> Dataset:
    """A small generated log."""
    size = LogSize(users=2_000, items=2_000, sessions=4_000)
    return Dataset("generated", lambda: records(generate(size, seed=1), 0), lambda: catalogue(size.items))


if __name__ == "__main__":
    sys.exit(main())
