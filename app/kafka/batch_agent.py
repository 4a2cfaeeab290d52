"""Adds agents to batched topics. A batch is done when its agent asks for the next one."""

import asyncio
import logging
from collections.abc import AsyncGenerator, AsyncIterable, Awaitable, Callable, Sequence
from contextlib import aclosing
from functools import partial
from typing import Any, TypeAlias, TypeVar, cast

import faust
from faust.types import AgentT, AppT, ChannelT, EventT, Message, StreamT
from mode.supervisors import OneForOneSupervisor
from mode.types import ServiceT
from typing_extensions import override

from agents.ports import Handed
from app.errors import HeadraceError
from app.kafka.batch_consumer import BatchConsumer
from app.kafka.batch_message import BatchMessage
from app.kafka.transport import BatchTransport
from app.logs import IN_HAND
from app.tracing import Begin, no_begin
from models.contract.events import RawBatch

logger = logging.getLogger(__name__)

T = TypeVar("T")

Run: TypeAlias = Callable[[AsyncIterable[T]], Awaitable[None]]


def add_batch_agent(app: faust.App, name: str, topics: Sequence[str], run: Run[RawBatch]) -> AgentT[Any]:
    """Add an agent in which `run` reads whole batches of `topics`. Each topic has one such agent.

    A batch is committed once `run` asks for the next one. If `run` raises or returns, the worker
    stops, and the batch is read again after a restart.

    Raises ValueError for a topic that is not read in batches or that already has an agent.
    """
    return _add_agent(app, name, topics, run, _batches)


def add_group_agent(
    app: faust.App, name: str, topics: Sequence[str], run: Run[Handed], begin: Begin = no_begin
) -> AgentT[Any]:
    """Add an agent in which `run` reads all batches of `topics` that wait, as many as make up the
    largest batch or a few more. Each topic has one such agent.

    The batches are committed once `run` has called `finish`; it may ask for more before that. If
    `run` raises or returns, the worker stops, and what is not finished is read again after a
    restart. `begin` is called with them first, and what it returns once they are finished.

    Raises ValueError for a topic that is not read in batches or that already has an agent.
    """
    return _add_agent(app, name, topics, run, partial(_groups, begin))


Read: TypeAlias = Callable[[BatchConsumer, StreamT[RawBatch]], AsyncGenerator[T, None]]


def _add_agent(app: faust.App, name: str, topics: Sequence[str], run: Run[T], read: Read[T]) -> AgentT[Any]:
    transport = cast(BatchTransport, app.transport)
    transport.claim(topics)

    async def agent(stream: StreamT[RawBatch]) -> None:
        await _run(app, name, run, read(cast(BatchConsumer, app.consumer), stream))

    channel = app.topic(*topics, schema=UntouchedSchema())
    return app.agent(channel, name=name)(agent)


async def _run(app: faust.App, name: str, run: Run[T], stream: AsyncGenerator[T, None]) -> None:
    consumer = cast(BatchConsumer, app.consumer)
    async with aclosing(stream) as handed:
        try:
            await run(handed)
        except asyncio.CancelledError:
            raise
        except BaseException:
            consumer.fail()
            logger.exception("agent %s failed on %s; the worker stops", name, consumer.describe_running())
            raise
    if not app.should_stop:
        consumer.fail()
        raise HeadraceError(f"agent {name} stopped reading its topics: this is a bug in the agent")


async def _batches(consumer: BatchConsumer, stream: StreamT[RawBatch]) -> AsyncGenerator[RawBatch, None]:
    async for event in stream.events():
        message = cast(BatchMessage, event.message)
        if consumer.start_batch(message):
            _tell_logs([message.batch])
            yield cast(RawBatch, event.value)
            consumer.finish_batch(message)


async def _groups(begin: Begin, consumer: BatchConsumer, stream: StreamT[RawBatch]) -> AsyncGenerator[Handed, None]:
    # Faust's stream is an iterator over this queue. As long as it holds something, the next event
    # is there at once.
    queue, enough = cast(ChannelT[Any], stream.channel).queue, consumer.app.conf.broker_max_poll_records
    events = aiter(stream.events())
    async for event in events:
        messages = [cast(BatchMessage, event.message)]
        records = len(messages[0].batch)
        while records < enough and not queue.empty():
            messages.append(cast(BatchMessage, (await anext(events)).message))
            records += len(messages[-1].batch)
        if started := [message for message in messages if consumer.start_batch(message)]:
            _tell_logs([message.batch for message in started])
            batches = [message.batch for message in started]
            yield Handed(batches, partial(_finish, consumer, started, begin(batches)))


def _tell_logs(batches: Sequence[RawBatch]) -> None:
    """Let the lines that this task logs from now on name its batches."""
    IN_HAND.set([(each.topic, each.partition, int(each.offsets[0]), len(each)) for each in batches if len(each)])


def _finish(consumer: BatchConsumer, messages: Sequence[BatchMessage], end: Callable[[], None]) -> None:
    for message in messages:
        consumer.finish_batch(message)
    end()


class UntouchedSchema(faust.Schema):  # type: ignore[type-arg]
    """Hands the message's value to the agent as it is.

    Faust acks a message that it fails to decode, and so loses it. This schema decodes nothing.
    """

    @override
    def compile(self, app: AppT, **_: Any) -> Callable[..., Awaitable[EventT[Any]]]:
        async def decode(message: Message, *, propagate: bool = False) -> EventT[Any]:
            return app.create_event(message.key, message.value, message.headers, message)

        return decode


class StopsTheWorker(OneForOneSupervisor):
    """Supervises all agents: a failed agent ends the process, so no later batch is handled."""

    @override
    async def restart_services(self, services: list[ServiceT]) -> None:
        for service in services:
            reason = service.crash_reason
            # A worker that stops cancels its agents. That is no failure.
            if not isinstance(reason, asyncio.CancelledError):
                await self.crash(reason or HeadraceError(f"{service.label} failed"))
