"""Fuzzes one target: `python -m fuzz.hunt TARGET SECONDS`. Ends with another status than 0 if it
broke.

atheris follows which code an input reaches, and so finds the way into a format. Where it is not
installed, Hypothesis changes kept inputs. Bytes that break a target are in build/fuzz/TARGET. Put a
small form of them into tests/fuzz/corpus/TARGET when the fault is mended.
"""

import importlib.util
import sys
import time
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

FOUND = Path("build/fuzz")
LONGEST_BYTES = 4096
INSTRUMENTED = ["fuzz.targets", "models.contract", "models.users", "models.inference", "app.store", "app.guard"]


def main(name: str, seconds: int) -> int:
    """Fuzz. atheris ends the process itself."""
    folder = FOUND / name
    folder.mkdir(parents=True, exist_ok=True)
    if importlib.util.find_spec("atheris") is not None:
        _with_atheris(name, seconds, folder)
    else:
        sys.stdout.write(f"{name}: atheris is not installed, Hypothesis takes its place\n")
        _with_hypothesis(name, seconds)
    return 0


def _with_atheris(name: str, seconds: int, folder: Path) -> None:
    import atheris  # type: ignore[import-not-found,import-untyped,unused-ignore]  # has no types, not on all platforms

    # What is imported here gets counters, so nothing of it may have been imported before.
    with atheris.instrument_imports(include=INSTRUMENTED):
        from fuzz.targets import CORPUS, TARGETS
    quiet = ["-verbosity=0", "-print_final_stats=1"]
    options = [f"-max_total_time={seconds}", f"-max_len={LONGEST_BYTES}", f"-artifact_prefix={folder}/broken-"]
    atheris.Setup(["fuzz", str(folder), str(CORPUS / name), *quiet, *options], TARGETS[name])
    atheris.Fuzz()


def _with_hypothesis(name: str, seconds: int) -> None:
    from fuzz.targets import TARGETS, kept

    inputs = st.binary(max_size=200) | _changed([path.read_bytes() for path in kept(name)])
    quiet = settings(max_examples=500, deadline=None, suppress_health_check=list(HealthCheck))
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        quiet(given(inputs)(TARGETS[name]))()


def _changed(seeds: list[bytes]) -> st.SearchStrategy[bytes]:
    edits = st.tuples(st.integers(0, 400), st.integers(0, 20), st.binary(max_size=8))

    def apply(seed: bytes, made: list[tuple[int, int, bytes]]) -> bytes:
        for at, cut, put in made:
            seed = seed[:at] + put + seed[at + cut :]
        return seed

    return st.builds(apply, st.sampled_from(seeds), st.lists(edits, min_size=1, max_size=4))


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1], int(sys.argv[2])))
