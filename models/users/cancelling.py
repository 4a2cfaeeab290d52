"""Undoes cancelled orders in profiles: beside the compiled step, since cancellations are rare.

Counts are exactly those without the order, but for rounding. The order's own entry leaves the
recent and the bought items; what it had displaced there is not known any more. A profile keeps a
mark of each cancelled order, so that none is undone twice, and so that an order that comes after
its cancellation does not count.
"""

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from models.contract.cancelled import Outcome
from models.contract.events import Kind
from models.profile import Cancelled
from models.users.arrays import APPLIED, BOUGHT, LISTS, RECENT, Steps, UserArrays
from models.users.step import NO_ROOM, mark_applied
from models.users.table import UserTable, name_session

ORDER = int(Kind.ORDER)
MOST_MARKS = 100  # of one user; the oldest goes first
NOTHING_LEFT = 1e-9  # a count below it is what rounding left of none


class Orders(NamedTuple):
    """Columns of n events of `orders`: the numbers of the orders, and which events cancel one."""

    numbers: NDArray[np.uint64]
    cancelling: NDArray[np.bool_]


def concern(table: UserTable, steps: Steps, cancelling: NDArray[np.bool_] | None) -> bool:
    """Whether any of these events cancels an order, or is of a user of whom one was cancelled."""
    if cancelling is not None:
        return True
    marked = table.cancelled
    return bool(marked) and steps.kind == ORDER and not marked.keys().isdisjoint(steps.slots.tolist())


def step_orders(table: UserTable, steps: Steps, orders: Orders) -> list[Outcome]:
    """Apply a batch of events of `orders`. Returns what became of each.

    What is no cancellation and was not cancelled goes through the compiled step.
    """
    outcomes, begun = [Outcome.PLAIN] * len(steps.slots), 0
    for row, slot in enumerate(steps.slots.tolist()):
        is_cancelling, number = bool(orders.cancelling[row]), int(orders.numbers[row])
        if not is_cancelling and number not in table.cancelled.get(slot, ()):
            continue
        table.step(_rows(steps, begun, row))
        one = _rows(steps, row, row + 1)
        outcomes[row] = _cancel(table, one, number) if is_cancelling else _order_again(table, one, number)
        if outcomes[row] is Outcome.PLAIN:
            table.step(one)  # it is contained already, and only finds its session
        begun = row + 1
    table.step(_rows(steps, begun, len(steps.slots)))
    return outcomes


def session_ids(named: Sequence[str | None], user_ids: Sequence[str], steps: Steps, of: Sequence[Outcome]) -> list[str]:
    """The id of each event's session; empty where it belongs to none that is known."""
    found = []
    for session_id, user, opened, outcome in zip(named, user_ids, steps.opened.tolist(), of, strict=True):
        is_plain = outcome is Outcome.PLAIN
        found.append(session_id if session_id is not None else name_session(user, opened) if is_plain else "")
    return found


def _rows(steps: Steps, start: int, end: int) -> Steps:
    rows = slice(start, end)
    return steps._replace(
        slots=steps.slots[rows],
        items=steps.items[rows],
        ts=steps.ts[rows],
        offsets=steps.offsets[rows],
        named=steps.named[rows],
        opened=steps.opened[rows],
    )


def _cancel(table: UserTable, one: Steps, number: int) -> Outcome:
    """Undo an order, once. An event that is contained already had the same outcome before."""
    slot, item, ts = int(one.slots[0]), int(one.items[0]), float(one.ts[0])
    marks = table.cancelled.setdefault(slot, {})
    known = marks.get(number)
    if not _is_new(table, one):
        return _told(known.outcome) if known is not None else Outcome.UNMATCHED
    if known is not None:
        return Outcome.UNMATCHED
    outcome = _sought(table, slot, item, ts)
    if outcome is not Outcome.UNMATCHED:
        _take_back(table, slot, item, ts)
    marks[number] = Cancelled(number, ts, outcome, table.items.names[item])
    if len(marks) > MOST_MARKS:
        del marks[next(iter(marks))]
    return _told(outcome)


def _told(outcome: Outcome) -> Outcome:
    """What became of a cancellation that left this mark, as the log has it."""
    return Outcome.UNDONE if outcome in (Outcome.UNDONE, Outcome.ASSUMED) else Outcome.UNMATCHED


def _order_again(table: UserTable, one: Steps, number: int) -> Outcome:
    """Pass over an order that was cancelled before. One that is contained already was in time."""
    slot = int(one.slots[0])
    marks = table.cancelled[slot]
    if marks[number].outcome is Outcome.ASSUMED:  # it was taken back: now it counts, and all is even
        applied = table.entries(slot, APPLIED)
        if not bool(((applied["id"] == one.source) & (applied["value"] >= one.offsets[0])).any()):
            marks[number] = marks[number]._replace(outcome=Outcome.UNDONE)
        return Outcome.PLAIN
    if _is_new(table, one):
        if marks[number].outcome is Outcome.UNMATCHED:
            marks[number] = marks[number]._replace(outcome=Outcome.VOID)
        return Outcome.VOID
    return Outcome.VOID if marks[number].outcome is Outcome.VOID else Outcome.PLAIN


def _is_new(table: UserTable, one: Steps) -> bool:
    """Whether the profile did not contain this event; it does now."""
    while (is_new := mark_applied(table.arrays, one)) == NO_ROOM:
        table.make_room()
    return bool(is_new)


def _sought(table: UserTable, slot: int, item: int, ts: float) -> Outcome:
    """Whether an order of the item at this time is in the profile, or may have been.

    A later order of the item has taken its place, or as many later orders as a list holds. Of two
    lines of one order for the same item, the first that is cancelled takes their entry away.
    """
    bought = table.entries(slot, BOUGHT)
    of_item = bought["value"][bought["id"] == item]
    if len(of_item) and of_item[0] == ts:
        return Outcome.UNDONE
    is_hidden = bool(len(of_item)) and bool(of_item[0] > ts)
    later = [each for each in table.cancelled[slot].values() if each.ts >= ts and _told(each.outcome) is Outcome.UNDONE]
    is_displaced = int(np.count_nonzero(bought["value"] >= ts)) + len(later) >= table.limits.bought
    is_gone = any(each.item_id == table.items.names[item] for each in later)
    return Outcome.ASSUMED if is_hidden or is_displaced or is_gone else Outcome.UNMATCHED


def _take_back(table: UserTable, slot: int, item: int, ts: float) -> None:
    arrays = table.arrays
    for which in (RECENT, BOUGHT):
        _remove(arrays, LISTS * slot + which, item, ts)
    left = arrays.counts[slot, ORDER] - math.exp((ts - arrays.counted_at[slot]) * table.limits.rate)
    arrays.counts[slot, ORDER] = left if left > NOTHING_LEFT else 0.0


def _remove(arrays: UserArrays, block: int, item: int, ts: float) -> None:
    """Remove the item from a list if it stands there with an order at this time."""
    base, size = int(arrays.blocks["base"][block]), int(arrays.blocks["size"][block])
    entries = arrays.entries[base : base + size]
    kept = ~((entries["id"] == item) & (entries["kind"] == ORDER) & (entries["value"] == ts))
    count = int(np.count_nonzero(kept))
    entries[:count] = entries[kept]
    arrays.blocks["size"][block] = count
