"""Looks for bytes that break a target, each in a process of its own: see `hunt`."""

import argparse
import subprocess
import sys

from fuzz.targets import TARGETS


def main() -> int:
    """Fuzz the named targets, or all. Returns 1 if one was broken."""
    parser = argparse.ArgumentParser(prog="fuzz", description=__doc__)
    parser.add_argument("targets", metavar="TARGET", nargs="*", help=f"of {', '.join(TARGETS)} (default: all)")
    parser.add_argument("--seconds", type=int, default=30, help="how long each is fuzzed (default 30)")
    args = parser.parse_args()
    if unknown := [name for name in args.targets if name not in TARGETS]:
        parser.error(f"no target is called {unknown[0]}; use {', '.join(TARGETS)}")
    broken = [name for name in args.targets or TARGETS if not _hunt(name, args.seconds)]
    names = ", ".join(broken)
    sys.stdout.write(f"broken: {names}; the bytes are in build/fuzz\n" if broken else "nothing was broken\n")
    return 1 if broken else 0


def _hunt(name: str, seconds: int) -> bool:
    command = [sys.executable, "-m", "fuzz.hunt", name, str(seconds)]
    return subprocess.run(command, check=False).returncode == 0


if __name__ == "__main__":
    raise SystemExit(main())
