"""Asks Kafka every 2 s, so that a worker that writes nothing also notices when Kafka is away."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from app.health import Health
from app.kafka.failure import kafka_retry_errors

NAME = "Kafka"
PAUSE_SECONDS = 2.0
ANSWER_SECONDS = 5.0

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, eq=False)
class KafkaWatch:
    """Tells `health` whether Kafka answers `ask`, which raises what aiokafka raises."""

    ask: Callable[[], Awaitable[None]]
    health: Health
    answer_seconds: float = ANSWER_SECONDS
    pause_seconds: float = PAUSE_SECONDS

    async def run(self) -> None:
        """Watch until cancelled."""
        while True:
            error = await self._fault()
            if error:
                if self.health.fails(NAME, self, error):
                    logger.warning("%s is away: %s", NAME, error)
            elif self.health.works(NAME, self):
                logger.info("%s is back", NAME)
            await asyncio.sleep(self.pause_seconds)

    async def _fault(self) -> str:
        try:
            async with asyncio.timeout(self.answer_seconds):
                await self.ask()
        except TimeoutError:
            return f"it does not answer within {self.answer_seconds:g} s"
        except kafka_retry_errors() as error:
            return str(error) or type(error).__name__
        return ""
