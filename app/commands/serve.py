"""`headrace serve`: answers look-ups over HTTP, and shows the console page."""

import argparse
import asyncio
import gc
import logging
import signal
import sys
from dataclasses import replace
from importlib.metadata import version

import orjson
from prometheus_client import GC_COLLECTOR, PLATFORM_COLLECTOR, PROCESS_COLLECTOR, CollectorRegistry

from agents.metrics import tell_build
from app.guard.access import check_reach
from app.settings import Settings
from app.store.formats import check_formats
from app.web.server import ServeConcerns, Surroundings, build_application, listening

log = logging.getLogger(__name__)

DESCRIPTION = """\
Answer look-ups over HTTP out of Redis, and show the console page at /.
Kafka is needed only for /quarantine, and for clicks from the page, which HEADRACE_SERVE_ACCEPT_EVENTS=true
allows."""

EPILOG = """\
examples:
  headrace serve
  HEADRACE_HTTP_TOKENS=$(openssl rand -hex 32) headrace serve --host 0.0.0.0 --port 8080
  HEADRACE_REDIS_URL=redis://store:6379/0 headrace serve --port 0 --json
  curl 'http://127.0.0.1:6066/recommendations/u1?k=5'
  curl -H "Authorization: Bearer $TOKEN" 'http://127.0.0.1:6066/recommendations/u1?k=5'"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare arguments, description and examples."""
    parser.description = DESCRIPTION
    parser.epilog = EPILOG
    parser.add_argument("--host", help="address to listen on (default: HEADRACE_SERVE_HOST)")
    parser.add_argument("--port", type=_port, help="port to listen on, 0 for a free one (default: HEADRACE_SERVE_PORT)")
    parser.add_argument("--json", action="store_true", help='print {"url": …} on standard output once it listens')


def execute(args: argparse.Namespace, settings: Settings) -> int:
    """Serve until SIGINT or SIGTERM."""
    given = {name: getattr(args, name) for name in ("host", "port") if getattr(args, name) is not None}
    concerns = ServeConcerns(
        replace(settings.serve, **given), settings.redis, settings.kafka, settings.http, settings.log, settings.rules
    )
    check_reach(concerns.serve.host, settings.http, variable="HEADRACE_SERVE_HOST")
    asyncio.run(_serve(concerns, as_json=args.json))
    return 0


async def _serve(concerns: ServeConcerns, *, as_json: bool) -> None:
    stop = asyncio.Event()
    for each in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(each, stop.set)
    await check_formats(concerns.redis)
    registry = CollectorRegistry()
    for collector in (PROCESS_COLLECTOR, PLATFORM_COLLECTOR, GC_COLLECTOR):
        registry.register(collector)
    tell_build(registry, version("headrace"), "serve")
    application = build_application(concerns, Surroundings(registry))
    async with listening(application, concerns.serve.host, concerns.serve.port) as url:
        gc.collect()
        gc.freeze()  # what was imported stays: a collection that looks at it takes 50 ms, in which nobody is answered
        log.info("listening on %s", url)
        if as_json:
            sys.stdout.write(orjson.dumps({"url": url}).decode() + "\n")
            sys.stdout.flush()
        await stop.wait()
        log.info("stopping")


def _port(text: str) -> int:
    if text.isascii() and text.isdigit() and int(text) <= 65535:
        return int(text)
    raise argparse.ArgumentTypeError(f"{text!r} is not a port; use 0 to 65535")
