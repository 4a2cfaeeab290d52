"""`make chaos`: many seeded runs, a line for each, and a summary; exit status 0 only if all are
right.
"""

import argparse
import shutil
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

from chaos.disturbances import DISTURBANCES, Disturbance
from chaos.report import as_json, line_of, record, summary
from chaos.run import Outcome, Plan, run_once
from chaos.schedule import make_schedule
from chaos.shop_log import Shop

EXAMPLES = """\
examples (after `make chaos ARGS="…"`):
  --runs 50 --seed 7 --disturbances 10 --json   50 runs with the seeds 7 to 56
  --seed 12                                     the run with seed 12, one more time
  --only kill,stop,redis-stall                  these disturbances alone
  --without kafka-dead,stop                     all others
  --redis memory                                Redis keeps nothing; the documents then allow profiles to begin again
  --kafka localhost:9092                        your broker; its connections are left alone
  --kafka localhost:9092 --kafka-link 9093      your broker on this machine, which tells its clients port 9093, where
                                                nobody listens; its connections are disturbed
"""


def main(arguments: Sequence[str] | None = None) -> int:
    options = parser().parse_args(arguments)
    names = _names(options)
    outcomes: list[Outcome] = []
    status = 0
    try:
        for number in range(options.runs):
            outcomes.append(_run(options, options.seed + number, names))
            _say(f"run {number + 1}/{options.runs} {line_of(outcomes[-1], _folder(options, outcomes[-1].seed))}")
    except KeyboardInterrupt:
        _say("interrupted; everything is stopped")
        status = 130
    if options.json:
        sys.stdout.write(as_json(outcomes))
    _say(summary(outcomes))
    return status or int(not outcomes or not all(each.is_right for each in outcomes))


def parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(
        prog="make chaos",
        description="Disturb real workers in seeded ways, and compare all that they stored with an oracle.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    made.add_argument("--runs", type=int, default=5, metavar="N", help="how many runs (5)")
    made.add_argument("--seed", type=int, default=1, metavar="N", help="seed of the first run, one more each (1)")
    made.add_argument("--disturbances", type=int, default=10, metavar="N", help="disturbances of a run (10)")
    made.add_argument("--only", default="", metavar="A,B", help=f"only these kinds of {', '.join(DISTURBANCES)}")
    made.add_argument("--without", default="", metavar="A,B", help="all kinds but these")
    made.add_argument("--workers", type=int, default=2, metavar="N", help="workers; one more joins at times (2)")
    made.add_argument("--rate", type=float, default=150.0, metavar="N", help="records a second (150)")
    made.add_argument(
        "--twins", type=float, default=Shop().twins, metavar="N", help="share of ids on two topics (0.02)"
    )
    made.add_argument("--redis", choices=("persistent", "memory"), default="persistent", help="what a kill leaves")
    made.add_argument("--kafka", default="", metavar="HOST:PORT", help="a broker that runs (default: one of its own)")
    made.add_argument(
        "--kafka-link", type=int, default=0, metavar="PORT", help="the port that the broker of --kafka advertises"
    )
    made.add_argument("--models", default="", metavar="DIR", help="folder of model artefacts (default: no models)")
    made.add_argument("--folder", type=Path, default=Path("build/chaos"), help="where logs go (build/chaos)")
    made.add_argument("--keep", action="store_true", help="keep the logs of runs that are right, too")
    made.add_argument("--json", action="store_true", help="one JSON object on standard output")
    return made


def _names(options: argparse.Namespace) -> list[str]:
    only, without = (set(filter(None, text.split(","))) for text in (options.only, options.without))
    if unknown := (only | without) - DISTURBANCES.keys():
        parser().error(f"no such disturbance: {', '.join(sorted(unknown))}; there are {', '.join(DISTURBANCES)}")
    found = [
        name
        for name, kind in DISTURBANCES.items()
        if (not only or name in only) and name not in without and _is_possible(kind, options)
    ]
    if not found:
        parser().error("no disturbance is left")
    return found


def _is_possible(kind: Disturbance, options: argparse.Namespace) -> bool:
    if kind.needs_process and options.kafka:
        return False
    return not (kind.needs_link and options.kafka and not options.kafka_link)


def _run(options: argparse.Namespace, seed: int, names: Sequence[str]) -> Outcome:
    folder = _folder(options, seed)
    if folder.exists():
        shutil.rmtree(folder)
    plan = Plan(
        seed=seed,
        schedule=make_schedule(seed, options.disturbances, names, options.workers),
        shop=Shop(twins=options.twins),
        rate=options.rate,
        workers=options.workers,
        is_persistent=options.redis == "persistent",
        models=str(Path(options.models).resolve()) if options.models else "",
        bootstrap=options.kafka,
        link_port=options.kafka_link,
    )
    outcome = run_once(plan, folder, lambda text: _say(f"  seed {seed}: {text}"))
    record(outcome, folder)
    if outcome.is_right and not options.keep:
        shutil.rmtree(folder)
    return outcome


def _folder(options: argparse.Namespace, seed: int) -> Path:
    folder: Path = options.folder
    return folder.resolve() / f"seed-{seed}"


def _say(text: str) -> None:
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # as Ctrl-C
    sys.exit(main())
