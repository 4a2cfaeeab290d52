"""Stops an aiokafka consumer, also while Kafka is away."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any


async def stop_consumer(consumer: Any, stop: Callable[[], Awaitable[None]]) -> None:
    """Call `stop`, which stops this AIOKafkaConsumer, and make sure that its connections close.

    While Kafka is away, aiokafka's fetcher cancels a fetch that waits for its next attempt, and
    then treats this CancelledError as its own cancellation. If the error were passed on, it would
    end the thread or the process in the middle of an orderly stop.
    """
    try:
        await stop()
    except asyncio.CancelledError:
        task = asyncio.current_task()
        if task is not None and task.cancelling():  # this task itself was cancelled
            raise
        await consumer._client.close()
