"""Adds agents to batched topics. A batch is done when its agent asks for the next one."""

import asyncio
import logging
from collections.abc import AsyncGenerator, AsyncIterable, Awaitable, Callable, Sequence
from contextlib import aclosing
from typing import Any, TypeAlias, cast

import faust
from faust.types import AgentT, AppT, EventT, Message, StreamT
from mode.supervisors import OneForOneSupervisor
from mode.types import ServiceT
from typing_extensions import override

from app.errors import HeadraceError
from app.kafka.batch_consumer import BatchConsumer
from app.kafka.batch_message import BatchMessage
from app.kafka.transport import BatchTransport
from models.contract.events import RawBatch

logger = logging.getLogger(__name__)

Run: TypeAlias = Callable[[AsyncIterable[RawBatch]], Awaitable[None]]


def add_batch_agent(app: faust.App, name: str, topics: Sequence[str], run: Run) -> AgentT[Any]:
    """Add an agent in which `run` reads whole batches of `topics`. Each topic has one such agent.

    A batch is committed once `run` asks for the next one. If `run` raises or returns, the worker
    stops, and the batch is read again after a restart.

    Raises ValueError for a topic that is not read in batches or that already has an agent.
    """
    transport = cast(BatchTransport, app.transport)
    transport.claim(topics)

    async def agent(stream: StreamT[RawBatch]) -> None:
        await _run(app, name, run, stream)

    channel = app.topic(*topics, schema=UntouchedSchema())
    return app.agent(channel, name=name)(agent)


async def _run(app: faust.App, name: str, run: Run, stream: StreamT[RawBatch]) -> None:
    consumer = cast(BatchConsumer, app.consumer)
    async with aclosing(_batches(consumer, stream)) as batches:
        try:
            await run(batches)
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
            yield cast(RawBatch, event.value)
            consumer.finish_batch(message)


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
