"""What the fence of profiles and lists costs a worker: `docs/benchmarks.md` has the figures.

A worker takes the same generated backlog again and again, on servers of its own each time: as it
is, and with plain writes (HSET, EXPIRE and SET, sent in the same way) in place of the script that
compares revisions. The order changes from round to round. Processor time of the worker and of Redis
tells more than events a second, where the machine has other work.

    python scripts/fence_cost.py [--rounds 6] [--events 60000] [--users 5000] [--json]
"""

import argparse
import asyncio
import os
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

import orjson
import redis

from agents.ports import WriteOutcome
from app.bench.broker import bench_kafka
from app.bench.generated import LogSize, generate, records
from app.bench.place import machine, place_of
from app.bench.worker_run import Task, measure_worker
from app.concerns import KafkaSettings
from app.datasets.record import Record
from app.kafka.replay import Pace, producer_for, replay
from app.kafka.topics import create_topics
from app.local.servers import embedded_redis
from app.store.commands import execute
from app.store.packed import Command
from app.store.users import SECONDS_A_DAY, RedisUsers
from models.users.revision import REVISION
from models.users.writes import UserWrites

FENCED, PLAIN = "fenced", "plain"
# Python runs this file as it starts; a folder with it is put on the path of the worker.
HOOK = (
    f"import sys; sys.path.insert(0, {str(Path(__file__).parent)!r}); import fence_cost; fence_cost.write_plainly()\n"
)


@dataclass(frozen=True, slots=True)
class Cost:
    """One run: events a second, events a list, and microseconds of processor time an event of
    worker and Redis.
    """

    events_per_second: float
    events_per_list: float
    worker: float
    redis: float

    @property
    def both(self) -> float:
        """Return the processor time of worker and Redis together."""
        return self.worker + self.redis


def write_plainly() -> None:
    """In this process, write profiles and lists without comparing."""

    async def write(self: RedisUsers, writes: UserWrites) -> list[WriteOutcome]:
        expire = int(self.expire_days * SECONDS_A_DAY)
        commands: list[Command] = []
        for user, profile, encoded, after in zip(
            writes.user_ids, writes.profiles, writes.lists, writes.fence[1], strict=True
        ):
            key = self.keys.profile(user)
            pairs = [part for name, value in profile.items() if value is not None for part in (name, value)]
            if gone := [name for name, value in profile.items() if value is None]:
                commands.append(("HDEL", key, *gone))
            commands.append(("HSET", key, REVISION, after, *pairs))
            commands.append(("EXPIRE", key, expire))
            commands.append(("SET", self.keys.recommendation(user), encoded, "EX", expire))
        await self.retry(lambda: execute(self.redis, commands))
        self._written.extend(writes.user_ids)
        return [WriteOutcome.DONE] * len(writes.user_ids)

    RedisUsers.write = write  # type: ignore[method-assign]  # that is what this process is for


def run(way: str, events: int, users: int) -> Cost:
    """Let a worker take the backlog."""
    with TemporaryDirectory(prefix="headrace-fence-") as name:
        folder = Path(name)
        with (
            bench_kafka(KafkaSettings(), os.environ, None, folder) as (kafka, environ),
            embedded_redis(folder) as redis_url,
        ):
            place = place_of(environ, kafka, redis_url, folder)
            environment = {**place.environment, "HEADRACE_MODEL_DIR": "", **_hook(way, folder)}
            asyncio.run(_produce(events, users, kafka))
            server = redis.Redis.from_url(redis_url)
            before = _cpu(server)
            done = measure_worker(Task(events, environment, place.port, folder / "worker.log"), kafka)
            spent = _cpu(server) - before
    lists = done.counters.recommendations
    return Cost(done.span.events_per_second, events / lists, done.span.cpu_microseconds_per_event, 1e6 * spent / events)


def _hook(way: str, folder: Path) -> Mapping[str, str]:
    if way == FENCED:
        return {}
    (folder / "hook").mkdir()
    (folder / "hook" / "sitecustomize.py").write_text(HOOK)
    return {"PYTHONPATH": str(folder / "hook")}


def _log(events: int, users: int) -> Iterator[Record]:
    return islice(records(generate(LogSize(users, 5_000, events // 2), seed=7), 0), events)


async def _produce(events: int, users: int, kafka: KafkaSettings) -> None:
    await create_topics(kafka)
    async with producer_for(kafka) as producer:
        sent = await replay(_log(events, users), producer, Pace(), prefix=kafka.topic_prefix)
    assert sent.total() == events


def _cpu(server: "redis.Redis") -> float:
    info = server.info("cpu")
    return float(info["used_cpu_user"]) + float(info["used_cpu_sys"])


def _median(costs: list[Cost], name: str) -> float:
    return round(float(median(getattr(each, name) for each in costs)), 1)


def main() -> int:
    """Measure, and print what was found. Returns the exit status."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=6, metavar="N", help="runs of each way (6)")
    parser.add_argument("--events", type=int, default=60_000, metavar="N", help="events of the backlog (60,000)")
    parser.add_argument("--users", type=int, default=5_000, metavar="N", help="users of the backlog (5,000)")
    parser.add_argument("--json", action="store_true", help="one JSON object on standard output")
    args = parser.parse_args()
    found: dict[str, list[Cost]] = {FENCED: [], PLAIN: []}
    for number in range(args.rounds):
        for way in (FENCED, PLAIN) if number % 2 == 0 else (PLAIN, FENCED):
            found[way].append(run(way, args.events, args.users))
            sys.stderr.write(f"round {number + 1}, {way}: {found[way][-1]}\n")
    names = ("events_per_second", "events_per_list", "worker", "redis", "both")
    told: dict[str, object] = {way: {name: _median(costs, name) for name in names} for way, costs in found.items()}
    told["fenced_of_plain"] = {
        name: round(
            median(getattr(a, name) / getattr(b, name) for a, b in zip(found[FENCED], found[PLAIN], strict=True)), 3
        )
        for name in names
    }
    told |= {"events": args.events, "rounds": args.rounds, **machine()}
    sys.stdout.write(orjson.dumps(told, option=0 if args.json else orjson.OPT_INDENT_2).decode() + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
