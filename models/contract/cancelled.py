"""Names what becomes of an order and of its cancellation.

A cancellation is the order's own event, sent again with `cancelled_at`. So it says all that has to
be undone, and nobody has to remember orders.
"""

from enum import IntEnum


class Outcome(IntEnum):
    """What becomes of one event of `orders`, or of one that cancels an order.

    PLAIN is any event without a cancellation. A cancellation is UNDONE if its order had counted.
    It is UNMATCHED if no such order came yet, or if the order was cancelled before. An order is
    VOID if its cancellation came before it. ASSUMED is of profiles alone: the order was taken back,
    although a later one hides whether it had come.
    """

    PLAIN = 0
    UNDONE = 1
    UNMATCHED = 2
    VOID = 3
    ASSUMED = 4


# The kinds in `interactions` of what is not PLAIN. Workers before format 2 do not know them.
KIND_OF_OUTCOME = {
    Outcome.UNDONE: "cancellation",
    Outcome.UNMATCHED: "unmatched_cancellation",
    Outcome.VOID: "cancelled_order",
}
CANCELLATIONS = frozenset((KIND_OF_OUTCOME[Outcome.UNDONE], KIND_OF_OUTCOME[Outcome.UNMATCHED]))
COUNTED = {"undone": Outcome.UNDONE, "unmatched": Outcome.UNMATCHED, "order_void": Outcome.VOID}
