"""Sends quarantined records again, each exactly once.

A replay claims its records with a mark in the quarantine before it sends them, and marks them
again once the broker has them. Of several claims to a record the first one in the log holds, so
replays that run at the same time share the records out. One that ended in between leaves records
in doubt: whoever takes them over looks first which of them arrived.
"""

from collections import Counter
from collections.abc import AsyncIterator, Callable, Collection, Iterator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field, replace

from app.concerns import KafkaSettings
from app.kafka.quarantine_writer import QuarantineWriter, find_sent, quarantine_writer
from app.kafka.whole_log import WholeLog
from app.quarantine.reading import Choice, QuarantineReading, quarantine_log, read_on
from models.contract.event_codec import EventSettings
from models.contract.outcome import Reason
from models.contract.partitioner import REFUSE
from models.contract.quarantined import (
    CLAIMED,
    IN_DOUBT,
    REPLAYED,
    Quarantined,
    ReplayMark,
    decode_quarantine,
)
from models.contract.record_edits import Edit, mend
from models.contract.second_look import ITEMS, REPLAYABLE, is_replayable, refused_now

AT_ONCE = 500  # records that are claimed or sent together


@dataclass(frozen=True, slots=True)
class ReplayPlan:
    """What to do with the records that a choice means.

    `dry_run` sends nothing. `take_over` also sends what another replay claimed and may not have
    sent. `claim` names this replay; `now` is in seconds since 1970. With `edits`, records are sent
    mended, and those that the edits do not change are left out.
    """

    choice: Choice
    claim: str
    now: float
    dry_run: bool = False
    take_over: bool = False
    edits: Sequence[Edit] = ()


@dataclass(slots=True)
class ReplayReport:
    """What became of the records that were meant, as counts.

    `sent` is by reason and topic; in a dry run it is what would be sent. `refused` would be
    rejected again, by the reason of now. `elsewhere` are not from a topic that is read, and
    `nowhere` name a partition that their topic does not have.
    `unchanged` are those that the edits of a fix leave as they are.
    `on_request` are only sent if their topic or reason is named. `found_sent` had arrived already.
    """

    sent: Counter[tuple[str, str]] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)
    elsewhere: int = 0
    nowhere: int = 0
    unchanged: int = 0
    on_request: int = 0
    replayed_before: int = 0
    found_sent: int = 0
    in_doubt: int = 0
    held_by_others: int = 0


async def replay_quarantine(
    kafka: KafkaSettings, events: EventSettings, plan: ReplayPlan, progress: Callable[[float], None]
) -> ReplayReport:
    """Send what is meant and would be accepted now. Raises HeadraceError.

    A record that was sent and is rejected again comes back as another record.
    """
    report = ReplayReport()
    judged: dict[str, str] = {}

    async with quarantine_log(kafka, progress, newest=None) as log:
        places = await log.partitions_of(kafka.topic_prefix + topic for topic in REPLAYABLE)

        def judge(record: Quarantined) -> None:
            is_placed = (kafka.topic_prefix + record.topic, record.partition) in places
            fate = _fate(record, events, plan, kafka)
            judged[record.record_id] = fate if is_placed or fate == ELSEWHERE else NOWHERE

        reading = await read_on(log, QuarantineReading(plan.choice, 0, on_record=judge), kafka.topic_prefix)
        wanted = _wanted(reading, judged, plan, report)
        if plan.dry_run or not wanted:
            report.sent.update((reading.entries[each].reason, reading.entries[each].topic) for each in wanted)
            return report
        async with quarantine_writer(kafka) as writer:
            wanted -= await _take_over(kafka, reading, wanted, writer, plan, report)
            await _claim(reading, wanted, writer, plan)
            await read_on(log, reading, kafka.topic_prefix)  # the claims of all who replay now
            held = {each for each in wanted if reading.replays.holder(each) == plan.claim}
            report.held_by_others = len(wanted) - len(held)
            log.rewind()
            await _send(log, reading, held, writer, plan, report)
    return report


FINE, ELSEWHERE, NOWHERE, ON_REQUEST, UNCHANGED = "", "elsewhere", "nowhere", "on request", "unchanged"


def _fate(record: Quarantined, events: EventSettings, plan: ReplayPlan, kafka: KafkaSettings) -> str:
    """Return why the record is not sent: a reason, ELSEWHERE, ON_REQUEST or UNCHANGED; FINE if it
    is sent.
    """
    if not is_replayable(record):
        return ELSEWHERE
    # An old version of an item would take the place of a newer one.
    if record.topic == ITEMS and ITEMS not in plan.choice.topics:
        return ON_REQUEST
    if record.reason == Reason.WORSE_THAN_BEFORE and record.reason not in plan.choice.reasons:
        return ON_REQUEST
    if record.reason == Reason.FOREIGN_KEY and kafka.misplaced == REFUSE:
        return Reason.FOREIGN_KEY
    mended = mend(record, plan.edits) if plan.edits else record
    if plan.edits and mended is record:
        return UNCHANGED
    return refused_now(mended, events, plan.now)


def _wanted(reading: QuarantineReading, judged: Mapping[str, str], plan: ReplayPlan, report: ReplayReport) -> set[str]:
    wanted: set[str] = set()
    for each in reading.entries:
        state = reading.replays.state(each)
        if state == REPLAYED:
            report.replayed_before += 1
        elif judged[each] == NOWHERE:  # nobody sent it, whoever claimed it
            report.nowhere += 1
        elif state == IN_DOUBT and not plan.take_over:
            report.in_doubt += 1
        elif judged[each] == ELSEWHERE:
            report.elsewhere += 1
        elif judged[each] == UNCHANGED:
            report.unchanged += 1
        elif judged[each] == ON_REQUEST:
            report.on_request += 1
        elif judged[each] != FINE:
            report.refused[judged[each]] += 1
        else:
            wanted.add(each)
    return wanted


async def _take_over(
    kafka: KafkaSettings,
    reading: QuarantineReading,
    wanted: Collection[str],
    writer: QuarantineWriter,
    plan: ReplayPlan,
    report: ReplayReport,
) -> set[str]:
    """Mark what an ended replay sent. Returns the ids of it."""
    doubtful = {each for each in wanted if reading.replays.state(each) == IN_DOUBT}
    if not doubtful:
        return set()
    found = await find_sent(kafka, {reading.entries[each].topic for each in doubtful}, doubtful)
    for partition, ids in _by_partition(reading, found):
        await writer.mark(partition, ReplayMark(REPLAYED, plan.claim, ids))
    report.found_sent = len(found)
    return found


async def _claim(
    reading: QuarantineReading, wanted: Collection[str], writer: QuarantineWriter, plan: ReplayPlan
) -> None:
    for partition, ids in _by_partition(reading, wanted):
        over = tuple(sorted({reading.replays.holder(each) for each in ids} - {""}))
        await writer.mark(partition, ReplayMark(CLAIMED, plan.claim, ids, over))


async def _send(
    log: WholeLog,
    reading: QuarantineReading,
    held: set[str],
    writer: QuarantineWriter,
    plan: ReplayPlan,
    report: ReplayReport,
) -> None:
    async for partition, records in _records(log, held, writer.prefix):
        await writer.send([mend(each, plan.edits) for each in records] if plan.edits else records)
        await writer.mark(partition, ReplayMark(REPLAYED, plan.claim, tuple(each.record_id for each in records)))
        report.sent.update((each.reason, each.topic) for each in records)


async def _records(log: WholeLog, held: set[str], prefix: str) -> AsyncIterator[tuple[int, list[Quarantined]]]:
    """Yield the records that are held, each once, in parts of one partition of the quarantine."""
    left = set(held)
    async with aclosing(log.read()) as batches:
        async for batch in batches:
            found = [each for each in decode_quarantine(batch) if isinstance(each, Quarantined)]
            part = []
            for each in found:
                if each.record_id in left:
                    left.remove(each.record_id)
                    part.append(replace(each, topic=each.topic.removeprefix(prefix)))
            for start in range(0, len(part), AT_ONCE):
                yield batch.partition, part[start : start + AT_ONCE]
            if not left:
                return


def _by_partition(reading: QuarantineReading, ids: Collection[str]) -> Iterator[tuple[int, tuple[str, ...]]]:
    """Yield the ids in parts, by the partition of the quarantine that has their records."""
    homes: dict[int, list[str]] = {}
    for each in sorted(ids):
        homes.setdefault(reading.entries[each].home, []).append(each)
    for home, listed in homes.items():
        for start in range(0, len(listed), AT_ONCE):
            yield home, tuple(listed[start : start + AT_ONCE])
