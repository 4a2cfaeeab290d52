"""The pipeline: where the time of a batch goes, and what was tried again."""

from .grafana import COUNT, PER_SECOND, SECONDS, SHARE, STACK, Dashboard, Panel, Query, quantile, rate

STAGES = (
    Panel(
        "Time in each stage",
        "The share of a worker's time that batches spend in each stage, waiting included. Long `write` or `load`: "
        "Redis is slow. Long `emit`: Kafka is slow. Long `decide`: the processor is busy.",
        [
            Query(
                "sum by (stage) (rate(headrace_stage_seconds_sum[$__rate_interval])) / scalar(count(headrace_ready))",
                "{{stage}}",
            )
        ],
        SHARE,
        STACK,
    ),
    Panel(
        "Slow batches",
        "The time that 1 % of the batches exceed in each stage.",
        [Query(quantile(0.99, "headrace_stage_seconds", "stage"), "{{stage}}")],
        SECONDS,
        amber=1,
        red=10,
    ),
    Panel(
        "Events in a batch",
        "The mean number of records handled together. It grows with the load; large batches wait longer.",
        [
            Query(
                f"{rate('headrace_batch_events_sum', 'agent')} / ({rate('headrace_batch_events_count', 'agent')} > 0) "
                f"or {rate('headrace_batch_events_count', 'agent')}",
                "{{agent}}",
            )
        ],
        COUNT,
    ),
    Panel(
        "Batches",
        "Batches handled per second, of events (`process`) and of the catalogue.",
        [Query(rate("headrace_batch_events_count", "agent"), "{{agent}}")],
        PER_SECOND,
    ),
)

LOG = (
    Panel(
        "Lag by partition",
        "Records behind the end of the ten partitions that are furthest behind. One partition alone: one user sends "
        "very many events, or its worker is stuck.",
        [Query("topk(10, sum by (topic, partition) (headrace_lag_offsets))", "{{topic}}-{{partition}}")],
        COUNT,
        amber=10_000,
        red=100_000,
    ),
    Panel(
        "Time to catch up",
        "How long the waiting records take at the present rate of events, at least 1 per second.",
        [Query(f"sum(headrace_lag_offsets) / clamp_min({rate('headrace_events_total')}, 1)", "of work")],
        SECONDS,
        amber=60,
        red=600,
    ),
    Panel(
        "Learned",
        "Interactions that each worker learned from the log. Every worker learns all of them; repeats are normal after "
        "a restart.",
        [Query(rate("headrace_learned_total", "outcome"), "{{outcome}}")],
        PER_SECOND,
    ),
    Panel(
        "Events in a foreign partition",
        "Events that lie in another partition than their user's, or whose key is not the user id. `moved` costs a "
        "second way through Kafka: let all producers use one partitioner.",
        [Query(rate("headrace_foreign_key_total", "outcome"), "{{outcome}}")],
        PER_SECOND,
        STACK,
    ),
)

TROUBLE = (
    Panel(
        "Calls tried again",
        "Calls to Kafka and Redis that failed and were tried again.",
        [Query(rate("headrace_retries_total", "dependency"), "{{dependency}}")],
        PER_SECOND,
        amber=0.01,
        red=1,
    ),
    Panel(
        "Refused writes",
        "Writes that Redis refused because another worker wrote first; they are made again. Normal while partitions "
        "move.",
        [Query(rate("headrace_refused_writes_total", "what"), "{{what}}")],
        PER_SECOND,
        amber=1,
    ),
    Panel(
        "Lost offsets",
        "Records that Kafka removed before they were read, in the last hour. Raise the topic's retention.",
        [Query("sum by (topic) (increase(headrace_skipped_offsets_total[1h]))", "{{topic}}")],
        COUNT,
        amber=1,
        red=1000,
    ),
    Panel(
        "Partitions read from another offset",
        "Partitions whose reading went on elsewhere in the last hour: a topic was made again, or lost records.",
        [Query("sum by (topic, reason) (increase(headrace_offset_resets_total[1h]))", "{{topic}} {{reason}}")],
        COUNT,
        amber=1,
    ),
)

PIPELINE = Dashboard(
    "pipeline",
    "Headrace / Pipeline",
    "Where the time of a batch goes, how far the worker is behind, and what had to be tried again.",
    {"Stages of a batch": STAGES, "The log": LOG, "Trouble": TROUBLE},
)
