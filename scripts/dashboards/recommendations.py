"""Recommendations: what is written, what it is made of, and what is read."""

from .grafana import COUNT, PER_SECOND, SECONDS, SHARE, STACK, Dashboard, Panel, Query, quantile, rate, share

HTTP = "headrace_http_request_seconds"

LISTS = (
    Panel(
        "Lists written",
        "Lists that were written to Redis. A user with several events in one batch gets one list.",
        [Query(rate("headrace_recommendations_total"), "lists")],
        PER_SECOND,
    ),
    Panel(
        "Events per list",
        "How many accepted events led to one list. It grows with the load, because batches grow.",
        [
            Query(
                share(rate('headrace_events_total{outcome="accepted"}'), rate("headrace_recommendations_total")),
                "events",
            )
        ],
        COUNT,
    ),
    Panel(
        "What found the listed items",
        "Items of new lists by source: neighbours, meaning, the user's category, or trending items where nothing "
        "better was found.",
        [Query(rate("headrace_listed_items_total", "source"), "{{source}}")],
        PER_SECOND,
        STACK,
    ),
    Panel(
        "Half-life of trends",
        "After how long an interaction counts half for trending items.",
        [Query("max(headrace_trending_half_life_seconds)", "half-life")],
        SECONDS,
    ),
)

QUALITY = (
    Panel(
        "Hit rate of stored lists",
        "The share of events whose item stood in the list that Redis held for their user. For orders it is the share "
        "of orders, for carts that of carts, that stood in the list before the user looked at the item.",
        [
            Query(
                share(rate("headrace_scored_hits_total", "kind"), rate("headrace_scored_events_total", "kind")),
                "{{kind}}",
            ),
        ],
        SHARE,
    ),
    Panel(
        "MRR of stored lists",
        "The mean of 1 / rank of the items that users went to, 0 where the list did not hold the item.",
        [
            Query(
                share(
                    rate("headrace_scored_reciprocal_ranks_total", "kind"), rate("headrace_scored_events_total", "kind")
                ),
                "{{kind}}",
            )
        ],
        SHARE,
    ),
    Panel(
        "What found the hits",
        "Events whose item stood in the list, by what had found the item.",
        [Query(rate("headrace_scored_hits_total", "source"), "{{source}}")],
        PER_SECOND,
        STACK,
    ),
)

RANKER = (
    Panel(
        "What the rankers predicted",
        "The share of lists that had the user's next item among 20, before they were learned from. The formula and the "
        "learned rankers are measured on the same lists.",
        [Query("max by (ranker) (headrace_ranker_hit_rate)", "{{ranker}}")],
        SHARE,
    ),
    Panel(
        "Time that learning to rank takes",
        "The share of its time that the worker which learns spends on it. HEADRACE_RANKER_SHARE bounds it.",
        [Query(f"max({rate('headrace_ranker_seconds_total', 'instance')})", "share")],
        SHARE,
    ),
    Panel(
        "Loss of the learned rankers",
        "The mean of -ln(share) that a learned ranker gave to the user's next item, over about 4,000 lists. It falls "
        "while they learn; a lasting rise says that what they learned no longer holds.",
        [Query("max by (ranker) (headrace_ranker_loss)", "{{ranker}}")],
        COUNT,
    ),
    Panel(
        "Weights that rank",
        "The version of the published weights, of the worker with the newest and the one with the oldest. All workers "
        "should show the same; with `headrace ranker pin` it stands still.",
        [
            Query("max(headrace_ranker_version)", "newest"),
            Query("min(headrace_ranker_version)", "oldest"),
        ],
        COUNT,
    ),
    Panel(
        "Lists learned from",
        "Lists that the published weights were learned from. All workers should show the same number.",
        [
            Query("max(headrace_ranker_learned_lists)", "newest"),
            Query("min(headrace_ranker_learned_lists)", "oldest"),
        ],
        COUNT,
    ),
)

LOOKUPS = (
    Panel(
        "Look-ups by their list",
        "Look-ups of a user's list over HTTP: the user's own list, or the trending one in its place.",
        [Query(rate("headrace_lookups_total", "answer"), "{{answer}}")],
        PER_SECOND,
        STACK,
    ),
    Panel(
        "Slow requests",
        "The time that 1 % of the requests exceed, by route.",
        [Query(quantile(0.99, HTTP, "route"), "{{route}}")],
        SECONDS,
        amber=0.05,
        red=0.25,
    ),
    Panel(
        "Requests by status",
        "Answers by HTTP status. 404 for a user or item is no error of Headrace; 5xx is one.",
        [Query(rate(f"{HTTP}_count", "status"), "{{status}}")],
        PER_SECOND,
        STACK,
    ),
    Panel(
        "Failed requests",
        "The share of requests that were answered with 5xx. The target: at most 0.1 %.",
        [
            Query(
                f'(sum(rate({HTTP}_count{{status=~"5.."}}[$__rate_interval])) or vector(0)) / '
                f"clamp_min({rate(f'{HTTP}_count')}, 0.001)",
                "5xx",
            )
        ],
        SHARE,
        amber=0.001,
        red=0.01,
    ),
)

USERS = (
    Panel(
        "Users in memory",
        "Profiles that workers hold in memory. Others are read from Redis with the user's next event.",
        [Query("sum(headrace_users_cached)", "profiles")],
        COUNT,
    ),
    Panel(
        "Profiles made again, users forgotten",
        "Profiles that Redis lost and that were made again from the log, and requests to forget a user, per second.",
        [
            Query(rate("headrace_rebuilt_profiles_total"), "made again"),
            Query(rate("headrace_forgotten_users_total"), "forgotten"),
        ],
        PER_SECOND,
    ),
)

RECOMMENDATIONS = Dashboard(
    "recommendations",
    "Headrace / Recommendations",
    "What is written, what found it, and how it is read.",
    {
        "How good the lists are": QUALITY,
        "The learned ranker": RANKER,
        "Lists": LISTS,
        "Look-ups": LOOKUPS,
        "Users": USERS,
    },
)
