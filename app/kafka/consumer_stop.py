"""Stops an aiokafka consumer, also while Kafka is away."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any


async def stop_consumer(consumer: Any, stop: Callable[[], Awaitable[None]]) -> None:
    """Call `stop`, which stops this AIOKafkaConsumer among other things, and see that its connections are closed.

    While Kafka is away, aiokafka's fetcher cancels a fetch that waits to be repeated, and takes that for its own
    cancellation: passed on, it would end the thread or the process that is about to stop in good order.
    """
    try:
        await stop()
    except asyncio.CancelledError:
        task = asyncio.current_task()
        if task is not None and task.cancelling():  # somebody did cancel us
            raise
        await consumer._client.close()
