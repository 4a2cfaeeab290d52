"""`headrace doctor`: checks what Headrace needs, and says what to do about each failure."""

import argparse
import asyncio
import logging
import os
import sys
from dataclasses import replace

import orjson

from app.checkup.configuration import check_access, check_settings, check_state_dir
from app.checkup.doctor import Check, as_json, examine, passed, report
from app.checkup.inference import check_inference, check_second_judge
from app.checkup.installation import check_models, check_packages, check_python
from app.checkup.kafka_server import check_broker, check_topics
from app.checkup.producers import check_keys
from app.checkup.progress import check_lag, check_process
from app.checkup.redis_server import check_redis
from app.checkup.workers import check_workers
from app.settings import Settings, secret_values
from app.store.secrecy import scrub_for

DETAILS = """
Looks at Python, packages, settings, Kafka, topics, Redis, models, at the workers of the group, and at a worker and
look-up process on this machine. Nothing is changed.

exit status:
  0  nothing failed; there may be warnings
  1  something failed: Headrace cannot work like this
  2  a setting or an argument is not allowed
"""

EXAMPLES = """
examples:
  headrace doctor
  HEADRACE_KAFKA_BOOTSTRAP=kafka:9092 HEADRACE_REDIS_URL=redis://redis:6379/0 headrace doctor
  headrace doctor --json | jq '.findings[] | select(.status == "failed")'
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare arguments, description and examples."""
    parser.description = f"{parser.description}\n{DETAILS}"
    parser.epilog = EXAMPLES
    parser.add_argument("--json", action="store_true", help="print one JSON object on standard output")


def execute(args: argparse.Namespace, settings: Settings) -> int:
    """Check everything. The exit status is 0 when nothing failed."""
    # The report says in one line what the clients log in many.
    if settings.log.level != "debug":
        logging.getLogger("asyncio").setLevel(logging.CRITICAL)
    scrub = scrub_for(secret_values(os.environ))
    found = asyncio.run(examine(_checks(settings)))
    findings = [replace(each, detail=scrub(each.detail), advice=scrub(each.advice)) for each in found]
    lines = [orjson.dumps(as_json(findings)).decode()] if args.json else report(findings)
    sys.stdout.write("".join(f"{line}\n" for line in lines))
    return 0 if passed(findings) else 1


def _checks(settings: Settings) -> list[tuple[str, Check]]:
    worker, serve = settings.worker, settings.serve
    return [
        ("python", check_python),
        ("packages", check_packages),
        ("settings", lambda: check_settings(os.environ)),
        ("snapshots", lambda: check_state_dir(worker)),
        ("models", lambda: check_models(settings.model.folder if settings.model.dir else None)),
        ("inference", lambda: check_inference(settings.model.folder, settings.inference)),
        ("second judge", lambda: check_second_judge(settings.judge.dir, settings.inference)),
        ("kafka", lambda: check_broker(settings.kafka)),
        ("topics", lambda: check_topics(settings.kafka)),
        ("lag", lambda: check_lag(settings.kafka)),
        ("keys", lambda: check_keys(settings.kafka, settings.events)),
        ("redis", lambda: check_redis(settings.redis)),
        ("workers", lambda: check_workers(settings)),
        ("access", lambda: check_access(settings)),
        ("worker", lambda: check_process("worker", worker.host, worker.port)),
        ("serve", lambda: check_process("serve", serve.host, serve.port)),
    ]
