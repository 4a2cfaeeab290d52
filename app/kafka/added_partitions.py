"""Topics that got more partitions than they had when the worker started."""

import logging
from collections.abc import Collection, Iterable, Mapping
from typing import Any

from app.kafka.batch_book import TopicPartition
from app.kafka.faust_app import WorkerApp

logger = logging.getLogger(__name__)


def warn_of_added_partitions(app: WorkerApp, counts: Mapping[str, int]) -> None:
    """Log which topics have more partitions than `counts` says, whenever such partitions are
    assigned.
    """

    async def warn(*given: Any, **_: Any) -> None:
        _, assigned = given
        if topics := with_more(assigned, counts):
            logger.warning(
                "%s got more partitions while the worker runs. They are read, and users stay where they are: give all "
                "topics of users equally many partitions, then restart all workers",
                ", ".join(topics),
            )

    app.on_partitions_assigned.connect(warn, weak=False)


def with_more(assigned: Iterable[TopicPartition], counts: Mapping[str, int]) -> Collection[str]:
    """The topics of which a partition was assigned that they did not have."""
    return sorted({topic for topic, partition in assigned if partition >= counts.get(topic, partition + 1)})
