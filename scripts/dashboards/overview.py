"""The overview: is it alive, is it fresh, is it good?"""

from .grafana import (
    COUNT,
    PER_SECOND,
    SECONDS,
    SHARE,
    STACK,
    STAT,
    Dashboard,
    Panel,
    Query,
    quantile,
    rate,
    share,
)

EVENTS = "headrace_events_total"
FRESHNESS = "headrace_freshness_seconds"

ALIVE = (
    Panel(
        "Workers ready",
        "The share of workers that write fresh lists. A worker that is not ready says why at /readyz.",
        [Query("sum(headrace_ready) / count(headrace_ready)", "ready")],
        SHARE,
        STAT,
        amber=1.0,
        red=0.5,
        low_is_bad=True,
        width=6,
    ),
    Panel(
        "Processes",
        "Workers and look-up processes that Prometheus reaches, by version. Two versions: an upgrade runs.",
        [Query("count by (part, version) (headrace_build_info)", "{{part}} {{version}}")],
        COUNT,
        STAT,
        width=6,
    ),
    Panel(
        "Lag",
        "Records that wait in Kafka, of all topics. It rises in a burst and must fall again.",
        [Query("sum(headrace_lag_offsets)", "records")],
        COUNT,
        STAT,
        amber=10_000,
        red=100_000,
        width=6,
    ),
    Panel(
        "Calls tried again",
        "Calls to Kafka and Redis that failed and were tried again. Above 0: a server is slow or away.",
        [Query(rate("headrace_retries_total", "dependency"), "{{dependency}}")],
        PER_SECOND,
        STAT,
        amber=0.01,
        red=1,
        width=6,
    ),
)

FRESH = (
    Panel(
        "Freshness",
        "From the broker's append of an event to its user's list being readable in Redis. The target: 99 % within 5 s.",
        [
            Query(quantile(0.5, FRESHNESS), "median"),
            Query(quantile(0.99, FRESHNESS), "99 %"),
        ],
        SECONDS,
        amber=1,
        red=5,
    ),
    Panel(
        "Events",
        "Events by what became of them. Duplicates are retries of producers and change nothing.",
        [Query(rate(EVENTS, "outcome"), "{{outcome}}")],
        PER_SECOND,
        STACK,
    ),
    Panel(
        "Lag by topic",
        "Records behind the end of each topic.",
        [Query("sum by (topic) (headrace_lag_offsets)", "{{topic}}")],
        COUNT,
        amber=10_000,
        red=100_000,
    ),
    Panel(
        "Look-ups",
        "Time to answer look-ups over HTTP. Back ends that read Redis themselves do not appear here.",
        [
            Query(quantile(0.5, "headrace_http_request_seconds"), "median"),
            Query(quantile(0.99, "headrace_http_request_seconds"), "99 %"),
        ],
        SECONDS,
        amber=0.05,
        red=0.25,
    ),
)

GOOD = (
    Panel(
        "Quarantined events",
        "The share of events that could not be accepted. Their reasons are on the dashboard of data quality.",
        [Query(share(rate(EVENTS + '{outcome="quarantined"}'), rate(EVENTS)), "of all events")],
        SHARE,
        STAT,
        amber=0.01,
        red=0.05,
        width=6,
    ),
    Panel(
        "Events on unknown items",
        "The share of accepted events whose item the catalogue lacks. With a catalogue they are not listed.",
        [
            Query(
                share(rate("headrace_events_unknown_item_total"), rate(EVENTS + '{outcome="accepted"}')), "of accepted"
            )
        ],
        SHARE,
        STAT,
        amber=0.05,
        red=0.2,
        width=6,
    ),
    Panel(
        "Listed by popularity alone",
        "The share of listed items that are trending items, because nothing better was found for the user.",
        [
            Query(
                share(rate('headrace_listed_items_total{source="trending"}'), rate("headrace_listed_items_total")),
                "of listed items",
            )
        ],
        SHARE,
        STAT,
        amber=0.5,
        red=0.8,
        width=6,
    ),
    Panel(
        "Look-ups without an own list",
        "The share of look-ups that were answered with the trending list: new users, or lists that expired.",
        [
            Query(
                share(rate('headrace_lookups_total{answer="trending"}'), rate("headrace_lookups_total")), "of look-ups"
            )
        ],
        SHARE,
        STAT,
        amber=0.5,
        red=0.8,
        width=6,
    ),
)

OVERVIEW = Dashboard(
    "overview",
    "Headrace / Overview",
    "Is Headrace alive, are its lists fresh, and are they good? Start here.",
    {"Is it alive?": ALIVE, "Is it fresh?": FRESH, "Is it good?": GOOD},
)
