"""How long a broker may wait for records before it answers a fetch."""

from typing import Any

# aiokafka has one fetch under way per broker. While it waits for partitions without news, a
# partition whose batch was just taken cannot be asked for: Faust's 1500 ms would be added to the
# age of its next events. Tansu waits it out even when something arrives. An idle worker spends 3 %
# of a core on asking this often.
LONG_POLL_MS = 10
# Tansu answers without records when it cannot collect them in that time, and would do so for ever.
LONGEST_POLL_MS = 640


def next_wait(wait: int, *, is_starved: bool) -> int:
    """The wait of the next fetch in milliseconds: twice as long as the last one when that brought
    nothing of a partition that has records.

    >>> next_wait(10, is_starved=True), next_wait(40, is_starved=False)
    (20, 10)
    """
    return min(2 * wait, LONGEST_POLL_MS) if is_starved else LONG_POLL_MS


def adapt_wait(consumer: Any) -> None:
    """Let this AIOKafkaConsumer, which has just started, wait longer for a broker that answers
    without the records it has.
    """
    fetcher = consumer._fetcher
    process = fetcher._proc_fetch_request

    async def process_and_adapt(assignment: Any, node_id: Any, request: Any) -> bool:
        needs_wakeup: bool = await process(assignment, node_id, request)
        is_starved = any(_is_starved(fetcher, assignment, tp) for tp in assignment.tps)
        fetcher._fetch_max_wait_ms = next_wait(fetcher._fetch_max_wait_ms, is_starved=is_starved)
        return needs_wakeup

    fetcher._proc_fetch_request = process_and_adapt


def _is_starved(fetcher: Any, assignment: Any, tp: Any) -> bool:
    state = assignment.state_value(tp)
    if state is None or not state.has_valid_position or tp in fetcher._records:
        return False
    return state.lso is not None and state.position < state.lso
