"""One run: servers, workers and a log; disturbances; then everything is read and judged."""

import asyncio
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from heapq import heappop, heappush
from pathlib import Path
from random import Random

from aiokafka.errors import KafkaError  # type: ignore[import-untyped]  # ships no types
from redis import RedisError
from workers import environment

from app.concerns import KafkaSettings, RedisSettings
from app.kafka.topics import create_topics
from chaos.disturbances import DISTURBANCES, Moment, Scene, Target, Undo
from chaos.evidence import keep_evidence
from chaos.fleet import Worker
from chaos.links import Links, running_links
from chaos.oracle import Expected, expect
from chaos.records import SOURCES, Logged
from chaos.schedule import Entry, length
from chaos.servers import Broker, RedisServer, broker_behind_a_link
from chaos.shop_log import Shop, shop_log
from chaos.stored import read_items, read_stored
from chaos.topics import Sender, behind, read_topics
from chaos.verdict import Evidence, Verdict, judge, wrong_items

POLL_SECONDS = 0.05
SETTLE_POLL_SECONDS = 0.3
START_SECONDS = 60.0
SETTLE_SECONDS = 240.0
RESTORE_SECONDS = 30.0
PREFIX = "hr:"
CLOCK_FOLDER = Path(__file__).with_name("clock")

EMBEDDED = (
    "; the embedded broker keeps the leader of a group for ever if it leaves while the group settles"
    " (app/local/servers.py): repeat the run with --kafka"
)

Tell = Callable[[str], None]


class Trouble(Exception):
    """A run cannot be judged, which is a fault of its own; the message says why."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What a run does; everything but timing follows from `seed`."""

    seed: int
    schedule: list[Entry]
    shop: Shop = field(default_factory=Shop)
    rate: float = 150.0
    workers: int = 2
    partitions: int = 4
    is_persistent: bool = True
    models: str = ""
    bootstrap: str = ""  # of a broker that runs already; empty starts one
    link_port: int = 0  # that this broker advertises, and where nobody listens yet; 0 leaves its connections alone


@dataclass(slots=True)
class Outcome:
    """What came of a run. `trouble` says why it could not be judged; empty when it was."""

    seed: int
    schedule: list[Entry]
    verdict: Verdict = field(default_factory=Verdict)
    trouble: str = ""
    ends: list[str] = field(default_factory=list)
    seconds: float = 0.0
    settled_seconds: float = 0.0

    @property
    def is_right(self) -> bool:
        return not self.trouble and self.verdict.is_right


def run_once(plan: Plan, folder: Path, tell: Tell) -> Outcome:
    """Run the plan; every file that a process writes is in `folder`."""
    outcome, began = Outcome(plan.seed, plan.schedule), time.monotonic()
    folder.mkdir(parents=True)
    with ExitStack() as stack:
        links = stack.enter_context(running_links())
        broker = _broker(plan, links, folder, stack)
        name = f"chaos{plan.seed}x{int(time.time())}"
        kafka = KafkaSettings(broker.bootstrap, name, f"{name}-", plan.partitions)
        asyncio.run(create_topics(kafka))
        scene = _scene(plan, folder, links, broker, kafka, stack)
        try:
            _disturb_and_judge(plan, scene, kafka, outcome, tell)
        except (Trouble, OSError, KafkaError, RedisError) as error:
            outcome.trouble = str(error) or repr(error)
        outcome.ends = [end for each in scene.all for end in each.worker.ends]
    outcome.seconds = time.monotonic() - began
    return outcome


def _broker(plan: Plan, links: Links, folder: Path, stack: ExitStack) -> Broker:
    if not plan.bootstrap:
        return stack.enter_context(broker_behind_a_link(links, folder))
    if not plan.link_port:
        return Broker(plan.bootstrap)
    port = int(plan.bootstrap.rpartition(":")[2])
    return Broker(f"127.0.0.1:{plan.link_port}", links.to(port, plan.link_port))


def _scene(plan: Plan, folder: Path, links: Links, broker: Broker, kafka: KafkaSettings, stack: ExitStack) -> Scene:
    redis = RedisServer(folder, plan.is_persistent, stack)
    redis.start()
    _until(redis.answers, "Redis does not answer", START_SECONDS)
    clock = folder / "clock"
    clock.write_text("0")

    def target(name: str, **more: str) -> Target:
        link = links.to(redis.port)
        state = folder / f"{name}-state"
        url = f"redis://127.0.0.1:{link.port}/0"
        environ = environment(
            kafka,
            RedisSettings(url, PREFIX),
            HEADRACE_REDIS_TIMEOUT_SECONDS="2",
            HEADRACE_WORKER_PROFILE_CACHE="100",  # fewer than users: what is wrong in Redis is read again
            HEADRACE_MODEL_DIR=plan.models,
            PYTHONPATH=str(CLOCK_FOLDER),
            CHAOS_CLOCK=str(clock),
            **more,
        )
        return Target(Worker(name, environ, folder, stack), link, state)

    def with_snapshots(name: str) -> Target:
        state = str(folder / f"{name}-state")
        return target(name, HEADRACE_WORKER_STATE_DIR=state, HEADRACE_WORKER_SNAPSHOT_SECONDS="3")

    targets = [with_snapshots(f"worker-{number}") for number in range(plan.workers)]
    return Scene(targets, target("spare"), redis, broker, clock)


def _disturb_and_judge(plan: Plan, scene: Scene, kafka: KafkaSettings, outcome: Outcome, tell: Tell) -> None:
    for each in scene.targets:
        each.worker.start()
    _until(lambda: _are_ready(scene), "the workers are not ready", START_SECONDS)
    sender = Sender(kafka, shop_log(plan.shop, plan.seed, time.time()), plan.rate, first=plan.shop.items)
    sender.start()
    try:
        lost_at = _disturb(plan, scene, tell)
    finally:
        sender.end()
    tell(f"{len(sender.sent):,} records sent; waiting until all is processed")
    began = time.monotonic()
    log = asyncio.run(read_topics(kafka, SOURCES))
    if len(log) < len(sender.sent):
        raise Trouble(f"the broker lacks {len(sender.sent) - len(log)} records that it acknowledged")
    _settle(scene, kafka, log, "" if plan.bootstrap else EMBEDDED)
    outcome.settled_seconds = time.monotonic() - began
    expected = expect(sender.sent, log)
    if lost_at is not None:
        _wait_for_catalogue(scene, expected)
    _stop_workers(scene)
    evidence = Evidence(
        interactions=asyncio.run(read_topics(kafka, ["interactions"])),
        quarantine=asyncio.run(read_topics(kafka, ["quarantine"])),
        stored=read_stored(scene.redis.port, PREFIX),
        lost_at=lost_at,
    )
    outcome.verdict = judge(expected, evidence)
    if not outcome.is_right:
        keep_evidence(scene.clock.parent, log, evidence)


def _disturb(plan: Plan, scene: Scene, tell: Tell) -> float | None:
    """Go through the schedule; gives when Redis last lost its data, by the wall clock, None if
    never.
    """
    began, lost_at = time.monotonic(), None
    begins = sorted(enumerate(plan.schedule), key=lambda each: -each[1].at)
    undos: list[tuple[float, int, Undo]] = []
    while begins or undos or time.monotonic() - began < length(plan.schedule):
        now = time.monotonic() - began
        while undos and undos[0][0] <= now:
            heappop(undos)[2]()
        if begins and begins[-1][1].at <= now:
            number, entry = begins.pop()
            tell(str(entry))
            moment = Moment(entry.place, entry.seconds, Random(f"{plan.seed} {number}"))
            heappush(undos, (now + entry.seconds, number, DISTURBANCES[entry.name].begin(scene, moment)))
            if entry.name == "redis-kill" and not plan.is_persistent:
                lost_at = time.time()
        for each in scene.all:
            each.worker.tend()
        time.sleep(POLL_SECONDS)
    return lost_at


def _settle(scene: Scene, kafka: KafkaSettings, log: Sequence[Logged], hint: str) -> None:
    """Wait until the group has committed all; `hint` says what else may be the reason if it does
    not.
    """
    _until(scene.redis.answers, f"Redis does not answer (redis-{scene.redis.starts}.log says why)", START_SECONDS)
    _until(
        lambda: _are_ready(scene) and not asyncio.run(behind(kafka, log)),
        "not everything is processed",
        SETTLE_SECONDS,
        lambda: f"(behind: {asyncio.run(behind(kafka, log))}){hint}",
    )


def _wait_for_catalogue(scene: Scene, expected: Expected) -> None:
    """Give the workers time to bring back what Redis lost; what is missing after that is for the
    verdict.
    """
    with suppress(Trouble):
        _until(
            lambda: _are_ready(scene) and not wrong_items(expected.items, read_items(scene.redis.port, PREFIX)),
            "the catalogue is not back",
            RESTORE_SECONDS,
        )


def _stop_workers(scene: Scene) -> None:
    """Stop all workers: nothing is written any more after that."""
    for each in scene.all:
        each.worker.ask_to_stop()
    _until(lambda: not any(_runs(each.worker) for each in scene.all), "a worker does not stop", SETTLE_SECONDS)


def _are_ready(scene: Scene) -> bool:
    for each in scene.all:
        each.worker.tend()
    return all(each.worker.is_ready() for each in scene.targets)


def _runs(worker: Worker) -> bool:
    worker.tend()
    return worker.runs


def _until(
    condition: Callable[[], bool], trouble: str, seconds: float, explain: Callable[[], str] = lambda: ""
) -> None:
    """Wait for the condition. Raises Trouble when it does not come."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise Trouble(f"{trouble} after {seconds:g} s {explain()}".rstrip())
        time.sleep(SETTLE_POLL_SECONDS)
