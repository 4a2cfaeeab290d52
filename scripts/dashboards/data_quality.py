"""Data quality: what is wrong with the records and with the catalogue."""

from .grafana import BARS, COUNT, PER_SECOND, SHARE, STACK, Dashboard, Panel, Query, rate, share

EVENTS = "headrace_events_total"

RECORDS = (
    Panel(
        "Quarantined, by reason",
        "Records that could not be accepted. docs/quarantine.md says what each reason means and what to do.",
        [Query(rate("headrace_rejected_total", "reason"), "{{reason}}")],
        PER_SECOND,
        BARS,
    ),
    Panel(
        "Quarantined, by kind",
        "The same records by what they are: views, clicks, carts, orders, items.",
        [Query(rate("headrace_rejected_total", "kind"), "{{kind}}")],
        PER_SECOND,
        BARS,
    ),
    Panel(
        "Share of quarantined events",
        "By kind. A jump after a release: the release changed a field.",
        [Query(share(rate(EVENTS + '{outcome="quarantined"}', "kind"), rate(EVENTS, "kind")), "{{kind}}")],
        SHARE,
        amber=0.01,
        red=0.05,
    ),
    Panel(
        "Share of duplicates",
        "By kind. Events that came before under the same event_id: retries of producers. A constant share is normal.",
        [Query(share(rate(EVENTS + '{outcome="duplicate"}', "kind"), rate(EVENTS, "kind")), "{{kind}}")],
        SHARE,
        amber=0.1,
        red=0.5,
    ),
    Panel(
        "Cancellations",
        "Per second. undone: an order no longer counts. unmatched: no order was there to undo, or it was undone "
        "before. order_void: an order that came after its cancellation.",
        [Query(rate("headrace_cancellations_total", "outcome"), "{{outcome}}")],
        PER_SECOND,
    ),
    Panel(
        "Share of events on unknown items",
        "Accepted events whose item the catalogue lacks: the catalogue is late or lacks a part of the assortment.",
        [
            Query(
                share(rate("headrace_events_unknown_item_total"), rate(EVENTS + '{outcome="accepted"}')), "unknown item"
            )
        ],
        SHARE,
        amber=0.05,
        red=0.2,
    ),
    Panel(
        "Doubtful events",
        "Well-formed events that can hardly be true, by reason and by what became of them: robots, prices, quantities.",
        [Query(rate("headrace_doubtful_total", "reason, outcome"), "{{reason}}, {{outcome}}")],
        PER_SECOND,
        STACK,
    ),
    Panel(
        "Odd fields",
        "Fields that were ignored because the contract lacks them, and fields in another form that were understood.",
        [
            Query(rate("headrace_unknown_fields_total"), "ignored"),
            Query(rate("headrace_coerced_total", "field"), "understood: {{field}}"),
        ],
        PER_SECOND,
    ),
)

CATALOGUE = (
    Panel(
        "Catalogue records",
        "Records of the topic items by what became of them.",
        [Query(rate("headrace_items_total", "outcome"), "{{outcome}}")],
        PER_SECOND,
        STACK,
    ),
    Panel(
        "Hidden items",
        "Items that no list may hold: not on sale, a text of low quality, or not in the catalogue.",
        [Query("max by (cause) (headrace_items_hidden)", "{{cause}}")],
        COUNT,
        STACK,
    ),
    Panel(
        "Share of hidden items",
        "Of all known items, by cause. A jump of `low_quality` after a change of the shop's texts needs a look.",
        [
            Query(
                "max by (cause) (headrace_items_hidden) / on () group_left () clamp_min(max(headrace_items_known), 1)",
                "{{cause}}",
            )
        ],
        SHARE,
        amber=0.3,
        red=0.6,
    ),
    Panel(
        "Defects",
        "Defects that the quality model found in new texts; docs/quality-model.md describes each.",
        [Query(rate("headrace_text_defects_total", "defect"), "{{defect}}")],
        PER_SECOND,
        BARS,
    ),
)

DATA_QUALITY = Dashboard(
    "data-quality",
    "Headrace / Data quality",
    "What is wrong with the shop's records and with its catalogue.",
    {"Records": RECORDS, "Catalogue": CATALOGUE},
)
