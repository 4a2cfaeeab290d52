"""`headrace run`: starts everything on this machine and replays a log."""

import argparse
import asyncio
import os
import signal
import sys
import webbrowser
from pathlib import Path

from app.commands.file_options import FILES, add_anyway, add_file_options, mapping_of
from app.commands.replay import speed
from app.datasets.folder import open_dataset
from app.datasets.record import Dataset
from app.datasets.sample import sample_dataset
from app.filecheck.first_look import look_first
from app.local.report import Examples, addresses, as_json, as_text
from app.local.run import LocalRun, Processed, Servers, process, running_locally, servers_for, settings_at
from app.progress_line import ProgressLine
from app.settings import Settings

DESCRIPTION = f"""\
Start a broker and a Redis server on free ports, the worker and the look-ups, and replay a log through Kafka.
With HEADRACE_KAFKA_BOOTSTRAP or HEADRACE_REDIS_URL set, the servers at these addresses are used instead.
The log is MovieLens-100k (fetched once, 2 MB), or that of --data. Afterwards everything keeps serving until Ctrl-C.
The log is looked at first, as `headrace check` does: if nothing would be accepted, or more than half would be
rejected, nothing is started. Rows that are rejected are counted by reason, and the first three of each are shown.
The exit status is 1 when more than half were rejected.

{FILES}"""

EXAMPLES = """\
examples:
  headrace run                                the sample log, then the console page
  headrace run --data shop/ --speed 60        a log of your own, an hour a minute
  headrace run --data 2019-Oct.csv.gz         a log in a published shape, here of REES46
  headrace run --once --speed max --json      process the log, print the counts, end
"""

# A film is rated once. A shopper looks at a thing again, but a rated film must not be listed again.
SAMPLE_SETTINGS = {"HEADRACE_RANKING_EXCLUDE_RECENT": "30"}
LIVE_SECONDS = 1.0
MOSTLY_REJECTED = 1
INTERRUPTED = 130


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare arguments, description and examples."""
    parser.description = DESCRIPTION
    parser.epilog = EXAMPLES
    parser.add_argument("--data", metavar="PATH", type=Path, help="folder or file of a log (default: MovieLens-100k)")
    parser.add_argument(
        "--speed",
        metavar="N|max",
        type=speed,
        default=None,
        help="play N times faster than real time; max (default): as fast as possible",
    )
    parser.add_argument("--once", action="store_true", help="end when the log is processed")
    parser.add_argument(
        "--json",
        action="store_true",
        help="print the counts as JSON on standard output; addresses go to standard error",
    )
    parser.add_argument("--no-browser", action="store_true", help="do not open the console page in a browser")
    add_file_options(parser)
    add_anyway(parser)


def execute(args: argparse.Namespace, settings: Settings) -> int:
    """Run everything. Ctrl-C ends it cleanly.

    The exit status is 0 once the log was processed and half of it or more was accepted.
    """
    dataset = open_dataset(args.data, mapping_of(args)) if args.data else sample_dataset(settings.embedded)
    is_good = look_first(dataset, settings.events, anyway=args.anyway)
    with servers_for(os.environ, {} if args.data else SAMPLE_SETTINGS) as running:
        status = asyncio.run(_run(args, settings_at(settings, running.environ), dataset, running))
    return status or (0 if is_good else MOSTLY_REJECTED)


async def _run(args: argparse.Namespace, settings: Settings, dataset: Dataset, started: Servers) -> int:
    status = INTERRUPTED
    task = asyncio.current_task()
    assert task is not None  # inside a coroutine there is one; narrows the type
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, task.cancel)
    try:
        async with started.watched(), running_locally(settings, started) as running:
            if not args.once:
                sys.stderr.write(f"the console is at {running.serve.url}/ and shows the log as it comes\n")
                _open_page(running, browser=not args.no_browser)
            processed = await process(running, dataset, args.speed)
            await _show(args, running, dataset, processed)
            status = _status(processed)
            if not args.once:
                # With --json, standard output holds the result and nothing else.
                where = sys.stderr if args.json else sys.stdout
                where.write(await running.alongside(addresses(running)))
                where.flush()
                await _keep_serving(running)
    except asyncio.CancelledError:
        sys.stderr.write("\nstopped\n")
    return status


async def _show(args: argparse.Namespace, running: LocalRun, dataset: Dataset, processed: Processed) -> None:
    examples = await running.alongside(Examples.find(dataset, processed, running.settings.events))
    if args.json:
        shown = await running.alongside(as_json(running, processed, examples))
    else:
        shown = await running.alongside(as_text(running, dataset.name, processed, examples))
    sys.stdout.write(shown)
    sys.stdout.flush()


def _status(processed: Processed) -> int:
    if not processed.mostly_rejected:
        return 0
    rows = processed.events_read + processed.items_read
    what = "nothing was accepted" if processed.nothing_accepted else "more than half was rejected"
    sys.stderr.write(
        f"headrace: {what}: {processed.rejected:,} of {rows:,} rows were rejected, for the reasons above; "
        "`headrace check` says what to do\n"
    )
    return MOSTLY_REJECTED


def _open_page(running: LocalRun, *, browser: bool) -> None:
    if browser and sys.stdout.isatty() and ("DISPLAY" in os.environ or "WAYLAND_DISPLAY" in os.environ):
        webbrowser.open(running.serve.url)


async def _keep_serving(running: LocalRun) -> None:
    """Show live figures until cancelled."""
    sys.stderr.write("Ctrl-C stops everything.\n")
    line = ProgressLine(sys.stderr)
    while True:
        before = await running.alongside(running.watch.read())
        await running.alongside(asyncio.sleep(LIVE_SECONDS))
        now = await running.alongside(running.watch.read())
        passed = now.since(before)
        if passed.events:
            fresh = passed.freshness_quantile(0.5)
            readable = f", readable after {1000 * fresh:,.0f} ms" if fresh is not None else ""
            line.show(f"{now.events:,} events so far, {passed.events:,} in the last second{readable}")
