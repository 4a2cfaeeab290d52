"""A Faust transport that reads some topics in whole partition batches.

Set it on an app with `app.transport = …`.
"""

from collections.abc import Sequence
from typing import Any, ClassVar

from faust.transport.drivers import aiokafka as driver
from faust.types import AppT
from faust.types.transports import ConsumerCallback, ConsumerT
from typing_extensions import override
from yarl import URL

from app.kafka.batch_consumer import BatchConsumer
from app.kafka.progress import Progress
from app.kafka.watched_consumer import BatchOptions


class BatchTransport(driver.Transport):
    """Faust's Kafka transport, which reads the topics of `options` in batches.

    `progress` tells the probes how far reading is.
    """

    Consumer: ClassVar[type[ConsumerT]] = BatchConsumer

    def __init__(self, url: list[URL], app: AppT, options: BatchOptions) -> None:
        super().__init__(url, app)
        self.options = options
        self.progress = Progress(options.clock)
        self._claimed: set[str] = set()

    def claim(self, topics: Sequence[str]) -> None:
        """Reserve batched topics for one agent.

        Raises ValueError for a topic that is not read in batches, or that already has an agent.
        """
        for topic in topics:
            if topic not in self.options.topics:
                raise ValueError(f"{topic} is not among the topics read in batches: {sorted(self.options.topics)}")
            if topic in self._claimed:
                raise ValueError(f"{topic} has an agent already; a batch is committed when one agent is done with it")
        self._claimed.update(topics)

    @override
    def create_consumer(self, callback: ConsumerCallback, **kwargs: Any) -> ConsumerT:
        return super().create_consumer(callback, options=self.options, progress=self.progress, **kwargs)
