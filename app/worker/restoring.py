"""Restores what Redis lost: the catalogue from the log, everything else from memory."""

import logging
from dataclasses import dataclass
from uuid import uuid4

from agents.assess import Assess
from agents.keep_similar import KeepSimilar
from agents.restore import ReadSpan, Restore
from app.kafka.catalogue_log import KafkaCatalogueLog
from app.kafka.progress import Progress
from app.kafka.topics import topics
from app.retry import Retry
from app.settings import Settings
from app.store.items import RedisItems
from app.store.marks import RedisMarks
from app.store.sources import RedisSources
from app.store.store import Store
from app.worker.figures import Figures
from app.worker.rebuilding import RebuildOwn

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Losses:
    """The parts of a worker that write again what Redis lost together with the catalogue."""

    sources: RedisSources
    figures: Figures
    similar: KeepSimilar | None
    profiles: RebuildOwn

    async def begin(self, partition: int, offset: int) -> None:
        """Write again what is in memory: items of a partition are missing from this offset on.

        Redis may have lost other data too.
        """
        logger.warning(
            "Redis lacks items of partition %d from offset %d on; they are written again from the log",
            partition,
            offset,
        )
        await self.sources.restore()
        self.figures.republish()
        self.profiles.lose()

    def end(self, partition: int, records: int, item_ids: list[str]) -> None:
        """Note that the partition's items are stored again, with the vectors of `item_ids`."""
        logger.info("the items of partition %d are back, %d records", partition, records)
        if self.similar is not None:
            self.similar.arrived(partition, item_ids)


def build_restore(
    settings: Settings, store: Store, broker: Retry, progress: Progress, losses: Losses, assess: Assess | None
) -> Restore:
    """Return the agent that restores the catalogue. It is not running yet."""
    topic = topics(settings.kafka).items

    def spans() -> dict[int, ReadSpan]:
        return {partition: ReadSpan(*span) for partition, span in progress.spans(topic).items()}

    return Restore(
        events=settings.events,
        marks=RedisMarks(store.redis, store.keys, store.retry, topic),
        log=KafkaCatalogueLog(settings.kafka, broker),
        items=RedisItems(store.redis, store.keys, store.retry),
        spans=spans,
        claim=lambda: uuid4().hex,
        lost=losses.begin,
        restored=losses.end,
        assess=assess,
    )
