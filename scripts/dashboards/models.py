"""The models: which ones run, how fast they are, and what they say."""

from .grafana import COUNT, PER_SECOND, SECONDS, SHARE, STACK, STAT, Dashboard, Panel, Query, quantile, rate, share

TEXTS = "headrace_inference_texts_total"

IN_USE = (
    Panel(
        "Models in use",
        "Workers with each model and its execution provider. All workers of a group need the same models.",
        [Query("count by (model, key, provider) (headrace_model_info)", "{{model}}: {{key}} on {{provider}}")],
        COUNT,
        STAT,
        width=12,
    ),
    Panel(
        "Texts from the cache",
        "The share of texts that the cache had, so that the model was not asked.",
        [Query(share(rate(TEXTS + '{outcome="cached"}', "model"), rate(TEXTS, "model")), "{{model}}")],
        SHARE,
        STAT,
        width=12,
    ),
)

SPEED = (
    Panel(
        "Texts",
        "Texts by whether the model was needed. An unchanged item costs no inference.",
        [Query(rate(TEXTS, "model, outcome"), "{{model}} {{outcome}}")],
        PER_SECOND,
        STACK,
    ),
    Panel(
        "Wait for a batch",
        "The time that 1 % of the requests wait in the queue of their model. It delays items, not events.",
        [Query(quantile(0.99, "headrace_inference_queue_seconds", "model"), "{{model}}")],
        SECONDS,
        amber=1,
        red=10,
    ),
    Panel(
        "Time of a batch",
        "The time that 1 % of the batches exceed: in the model, and to cut texts into tokens.",
        [
            Query(quantile(0.99, "headrace_inference_seconds", "model"), "{{model}}"),
            Query(quantile(0.99, "headrace_inference_tokenise_seconds", "model"), "{{model}}: tokens"),
        ],
        SECONDS,
        amber=1,
        red=10,
    ),
    Panel(
        "Assessed items",
        "Items by what the models said of them; `low_quality` items are not recommended.",
        [Query(rate("headrace_assessed_items_total", "outcome"), "{{outcome}}")],
        PER_SECOND,
        STACK,
    ),
)

SECOND_JUDGE = (
    Panel(
        "Items that wait for the second judge",
        "0 without a second judge (HEADRACE_JUDGE_DIR). It rests while the worker is behind.",
        [Query("sum(headrace_second_stage_queue_items)", "items")],
        COUNT,
    ),
    Panel(
        "Verdicts of the second judge",
        "By what they changed; `outdated` if the item changed meanwhile.",
        [Query(rate("headrace_second_stage_judged_total", "verdict"), "{{verdict}}")],
        PER_SECOND,
        STACK,
    ),
    Panel(
        "Time of the second judge",
        "The share of one processor's time that it takes.",
        [Query("sum(rate(headrace_second_stage_seconds_sum[$__rate_interval]))", "of one processor")],
        SHARE,
    ),
)

MODELS = Dashboard(
    "models",
    "Headrace / Models",
    "Which models run, how fast they are, and what they say of items.",
    {"In use": IN_USE, "Speed": SPEED, "Second judge": SECOND_JUDGE},
)
