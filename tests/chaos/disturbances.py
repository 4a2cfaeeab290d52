"""What may go wrong: each disturbance begins, lasts some seconds, and is undone.

A disturbance gets the scene and how long it will last, and returns what undoes it.
"""

import signal
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import NamedTuple

from chaos.fleet import Worker
from chaos.links import Link
from chaos.servers import Broker, RedisServer

Undo = Callable[[], object]


@dataclass(frozen=True, slots=True)
class Target:
    """A worker and its own link to Redis."""

    worker: Worker
    link: Link
    state: Path


@dataclass(frozen=True, slots=True)
class Scene:
    """Everything that can be disturbed. `spare` is the worker that only joins for a while."""

    targets: list[Target]
    spare: Target
    redis: RedisServer
    broker: Broker
    clock: Path

    @property
    def all(self) -> list[Target]:
        return [*self.targets, self.spare]


class Moment(NamedTuple):
    """Which worker a disturbance meets, where it meets one, how long it lasts, and a generator for
    the rest.
    """

    place: int
    seconds: float
    rng: Random


def kill_worker(scene: Scene, moment: Moment) -> Undo:
    worker = scene.targets[moment.place].worker
    worker.kill()
    return worker.start


def stop_worker(scene: Scene, moment: Moment) -> Undo:
    worker = scene.targets[moment.place].worker
    worker.send(signal.SIGSTOP)
    return lambda: worker.send(signal.SIGCONT)


def leave(scene: Scene, moment: Moment) -> Undo:
    worker = scene.targets[moment.place].worker
    worker.ask_to_stop()
    return worker.start


def join(scene: Scene, moment: Moment) -> Undo:
    scene.spare.worker.start()
    return scene.spare.worker.ask_to_stop


def fill_disk(scene: Scene, moment: Moment) -> Undo:
    """A file stands where the folder of snapshots was: as with a full disk, nothing can be written
    there.
    """
    state = scene.targets[moment.place].state
    aside = state.with_name(f"{state.name}.aside")
    if state.exists():
        state.rename(aside)
    state.write_text("")

    def undo() -> None:
        state.unlink()
        if aside.exists():
            aside.rename(state)

    return undo


def kill_redis(scene: Scene, moment: Moment) -> Undo:
    scene.redis.kill()
    return scene.redis.start


def pause_redis(scene: Scene, moment: Moment) -> Undo:
    scene.redis.command("CLIENT", "PAUSE", int(moment.seconds * 1000), "ALL")
    return lambda: None  # it ends by itself


def fill_redis(scene: Scene, moment: Moment) -> Undo:
    scene.redis.command("CONFIG", "SET", "maxmemory", 1)
    return lambda: scene.redis.command("CONFIG", "SET", "maxmemory", 0)


def cut_redis(scene: Scene, moment: Moment) -> Undo:
    for each in scene.all:
        each.link.cut()

    def undo() -> None:
        for each in scene.all:
            each.link.mend()

    return undo


def stall_redis(scene: Scene, moment: Moment) -> Undo:
    """What one worker wrote on its connections arrives late, after it gave them up and wrote
    again.
    """
    link = scene.targets[moment.place].link
    link.stall()
    return link.let_go


def kill_redis_connections(scene: Scene, moment: Moment) -> Undo:
    scene.targets[moment.place].link.kill_connections()
    return lambda: None  # the client must give them up


def slow_redis(scene: Scene, moment: Moment) -> Undo:
    link = scene.targets[moment.place].link
    link.slow(moment.rng.uniform(0.05, 0.5))
    return lambda: link.slow(0)


def _broker_link(scene: Scene) -> Link:
    assert scene.broker.link is not None, "the schedule leaves this out without a link"
    return scene.broker.link


def kill_kafka_connections(scene: Scene, moment: Moment) -> Undo:
    _broker_link(scene).kill_connections()
    return lambda: None  # the client must give them up


def cut_kafka(scene: Scene, moment: Moment) -> Undo:
    _broker_link(scene).cut()
    return _broker_link(scene).mend


def slow_kafka(scene: Scene, moment: Moment) -> Undo:
    _broker_link(scene).slow(moment.rng.uniform(0.05, 0.5))
    return lambda: _broker_link(scene).slow(0)


def pause_broker(scene: Scene, moment: Moment) -> Undo:
    scene.broker.pause()
    return scene.broker.go_on


def jump_clock(scene: Scene, moment: Moment) -> Undo:
    hours = moment.rng.choice([-30.0, -2.0, -0.02, 0.02, 2.0, 30.0])
    scene.clock.write_text(str(hours * 3600))
    return lambda: scene.clock.write_text("0")


@dataclass(frozen=True, slots=True)
class Disturbance:
    """How a kind of disturbance begins, how long it lasts, and what it meets: nothing is met by two
    at a time.
    """

    begin: Callable[[Scene, Moment], Undo]
    seconds: tuple[float, float]
    meets: str  # "worker" and "link": one of several
    needs_link: bool = False
    needs_process: bool = False


DISTURBANCES = {
    "kill": Disturbance(kill_worker, (0.0, 6.0), "worker"),
    "stop": Disturbance(stop_worker, (3.0, 30.0), "worker"),
    "leave": Disturbance(leave, (1.0, 8.0), "worker"),
    "join": Disturbance(join, (6.0, 15.0), "spare"),
    "disk-full": Disturbance(fill_disk, (6.0, 12.0), "worker"),
    "redis-kill": Disturbance(kill_redis, (0.0, 8.0), "redis"),
    "redis-pause": Disturbance(pause_redis, (1.0, 8.0), "redis"),
    "redis-full": Disturbance(fill_redis, (1.0, 8.0), "redis"),
    "redis-cut": Disturbance(cut_redis, (1.0, 10.0), "redis"),
    "redis-stall": Disturbance(stall_redis, (3.0, 10.0), "link"),
    "redis-dead": Disturbance(kill_redis_connections, (0.0, 0.0), "link"),
    "redis-slow": Disturbance(slow_redis, (3.0, 10.0), "link"),
    "kafka-dead": Disturbance(kill_kafka_connections, (0.0, 0.0), "kafka", needs_link=True),
    "kafka-cut": Disturbance(cut_kafka, (1.0, 10.0), "kafka", needs_link=True),
    "kafka-slow": Disturbance(slow_kafka, (3.0, 10.0), "kafka", needs_link=True),
    "kafka-pause": Disturbance(pause_broker, (1.0, 8.0), "kafka", needs_process=True),
    "clock": Disturbance(jump_clock, (2.0, 15.0), "clock"),
}
