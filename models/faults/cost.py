"""Measures what dirty data costs: learn from what a consumer took of a faulty log, predict what
users really did.
"""

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from models.evaluation.prequential import (
    LEARNED_AT_ONCE,
    Contender,
    EventStream,
    StreamPlan,
    empty_trails,
    ranks_of,
    wanted_events,
)
from models.faults.consumers import Consumed
from models.faults.detection import Detection
from models.faults.events import EXPECTED, INVENTED, Arrival
from models.ranker.relation_kernel import SessionTrails, follow, look_up
from models.ranker.relations import TRAIL, Prefixes
from models.recommender import LearningBatch
from models.vocabulary import Vocabulary

CLOSE_SECONDS = 60.0


def detections(arrivals: Sequence[Arrival], outcomes: Sequence[str]) -> dict[str, Detection]:
    """Return for each fault that was injected how it was found."""
    pairs = list(zip((each.fault for each in arrivals), outcomes, strict=True))
    found = {}
    for fault in dict.fromkeys(sorted(fault for fault, _ in pairs if fault)):
        had = [outcome == EXPECTED[fault] for each, outcome in pairs if each == fault]
        others = sum(outcome == EXPECTED[fault] for each, outcome in pairs if each != fault)
        found[str(fault)] = Detection(len(had), sum(had), others)
    return found


def repair_accuracy(arrivals: Sequence[Arrival], consumed: Consumed, sound: Consumed) -> dict[str, float]:
    """Return for each fault of real events the share that is learned as it was: with its item,
    user and session, and a time that is at most a minute off.
    """
    rows: dict[str, list[bool]] = {}
    for at, each in enumerate(arrivals):
        if each.fault and each.row != INVENTED:
            is_right = (
                bool(consumed.is_learned[at])
                and consumed.item_ids[at] == sound.item_ids[each.row]
                and consumed.users[at] == sound.users[each.row]
                and consumed.sessions[at] == sound.sessions[each.row]
                and abs(consumed.ts[at] - sound.ts[each.row]) <= CLOSE_SECONDS
            )
            rows.setdefault(str(each.fault), []).append(bool(is_right))
    return {fault: sum(found) / len(found) for fault, found in rows.items()}


def rejected_sound(arrivals: Sequence[Arrival], consumed: Consumed) -> float:
    """Return the share of the sound records that are not learned."""
    sound = np.array([not each.fault for each in arrivals], np.bool_)
    return float(np.count_nonzero(sound & ~consumed.is_learned)) / max(int(np.count_nonzero(sound)), 1)


class Truth(NamedTuple):
    """What users really did, by row of the sound log, and which rows are predicted.

    The times are those at which the records reached the broker.
    """

    item_ids: list[str]
    sessions: NDArray[np.uint64]
    times: NDArray[np.float64]
    is_wanted: NDArray[np.bool_]


def truth_of(consumed: Consumed, times: NDArray[np.float64], plan: StreamPlan) -> Truth:
    """Return the truth of a sound log that was consumed; the first event of a session is not
    predicted.
    """
    items = Vocabulary().numbers(consumed.item_ids)
    events = LearningBatch(items, consumed.sessions, times, consumed.kinds)
    wanted = wanted_events(EventStream(events, consumed.users), plan)
    wanted[times < plan.since] = False
    wanted[np.unique(consumed.sessions, return_index=True)[1]] = False
    return Truth(consumed.item_ids, consumed.sessions, times, wanted & consumed.is_taken)


def rank_truth(
    arrivals: Sequence[Arrival],
    consumed: Consumed,
    truth: Truth,
    learner: Contender,
    items: Vocabulary,
    batch: int,
    show: Callable[[int, int], None],
) -> NDArray[np.int64]:
    """Return the rank of each predicted item, from 1 and 0 for none, in the order of `truth`.

    Records are learned in the order in which they arrive. Each prediction knows what its session
    holds of them, and what was learned before its batch. `show` is called with the number of
    records that are done, and of all.
    """
    stands_for = np.array([each.row for each in arrivals], np.int64)
    is_target = (stands_for != INVENTED) & truth.is_wanted[stands_for]
    ranks = np.zeros(len(truth.item_ids), np.int64)
    trails, learned = empty_trails(), items.numbers(consumed.item_ids)
    wanted = items.numbers(truth.item_ids)
    targets = np.flatnonzero(is_target)
    start = int(targets[0]) if len(targets) else len(arrivals)
    edges = [*range(0, start, LEARNED_AT_ONCE), *range(start, len(arrivals), batch), len(arrivals)]
    for first, to in pairwise(edges):
        rows = np.arange(first, to)
        chosen = rows[is_target[first:to]]
        sessions = truth.sessions[stands_for[chosen]]
        before = _follow(trails, consumed, learned, rows, chosen, sessions)
        if len(chosen):
            actual = wanted[stands_for[chosen]]
            answers = learner.answers(before, sessions, actual)
            ranks[stands_for[chosen]] = ranks_of(answers.items, actual)
        taken = rows[consumed.is_learned[first:to]]
        learner.learn(
            LearningBatch(learned[taken], consumed.sessions[taken], consumed.ts[taken], consumed.kinds[taken]),
            consumed.users[taken],
        )
        show(to, len(arrivals))
    return ranks[truth.is_wanted]


def _follow(
    trails: SessionTrails,
    consumed: Consumed,
    items: NDArray[np.int32],
    rows: NDArray[np.int64],
    chosen: NDArray[np.int64],
    sessions: NDArray[np.uint64],
) -> Prefixes:
    """Move the trails on by the records that were taken; return what each chosen one's held before
    it.
    """
    before = Prefixes(np.zeros((len(chosen), TRAIL), np.int32), np.zeros(len(chosen), np.int32))
    begin = 0
    for place, row in enumerate([*chosen.tolist(), -1]):
        end = len(rows) if row < 0 else int(row - rows[0])
        part = rows[begin:end]
        part = part[consumed.is_taken[part]]
        held, sizes = np.zeros((len(part), TRAIL), np.int32), np.zeros(len(part), np.int32)
        follow(trails, consumed.sessions[part], items[part], held, sizes)
        if row >= 0:
            one = slice(place, place + 1)
            look_up(trails, sessions[one], before.items[one], before.sizes[one])
        begin = end
    return before
