"""For each alert a case in which it fires and one in which it is quiet.

A case is a series per metric in promtool's notation, one sample a minute: `0+5x60` begins at 0 and
rises by 5 an hour long, `1x60` stays 1.
"""

from typing import NamedTuple

Series = dict[str, str]
WORKER = 'job="worker"'
SERVE = 'job="serve"'


class Case(NamedTuple):
    """What is seen when the alert fires, what when it is quiet, and after how many minutes."""

    firing: Series
    quiet: Series
    minutes: int = 60


def late(in_time: int) -> Series:
    """Return 1,000 events a minute, of which so many are in their list in time."""
    return {
        f'headrace_freshness_seconds_bucket{{{WORKER},le="5.0"}}': f"0+{in_time}x60",
        f"headrace_freshness_seconds_count{{{WORKER}}}": "0+1000x60",
    }


def failed(faults: int) -> Series:
    """Return 2,000 requests a minute, of which so many fail."""
    count = f"headrace_http_request_seconds_count{{{SERVE}"
    return {f'{count},status="503"}}': f"0+{faults}x60", f'{count},status="200"}}': f"0+{2000 - faults}x60"}


def slow(in_time: int) -> Series:
    """Return 1,000 requests a minute, of which so many are answered in time."""
    return {
        f'headrace_http_request_seconds_bucket{{{SERVE},le="0.05"}}': f"0+{in_time}x60",
        f"headrace_http_request_seconds_count{{{SERVE}}}": "0+1000x60",
    }


def events(**rates: int) -> Series:
    """Return events a minute, by outcome."""
    series = f'headrace_events_total{{{WORKER},kind="view",outcome="%s"}}'
    return {series % outcome: f"0+{rate}x150" for outcome, rate in rates.items()}


def one(name: str, values: str, job: str = WORKER, **labels: str) -> Series:
    """Return one series."""
    all_labels = ",".join([job, *(f'{label}="{value}"' for label, value in labels.items())])
    return {f"{name}{{{all_labels}}}": values}


def waiting(records: str, processed: str) -> Series:
    """Return records that wait, and what is done meanwhile."""
    return {
        **one("headrace_lag_offsets", records, topic="views", partition="0"),
        **one("headrace_events_total", processed, kind="view", outcome="accepted"),
        **one("headrace_learned_total", "7x60", outcome="learned"),
        **one("headrace_items_total", "7x60", outcome="upserted"),
    }


BUILD, MODEL = "headrace_build_info", "headrace_model_info"
BACKLOG = {"topic": "views", "partition": "0"}

CASES = {
    "HeadraceFreshnessBurnsFast": Case(late(600), late(950)),
    "HeadraceFreshnessBurnsSlow": Case(late(980), late(995)),
    "HeadraceAnswersBurnsFast": Case(failed(400), failed(10)),
    "HeadraceAnswersBurnsSlow": Case(failed(4), failed(1)),
    "HeadraceSpeedBurnsFast": Case(slow(600), slow(950)),
    "HeadraceSpeedBurnsSlow": Case(slow(980), slow(995)),
    "HeadraceNoWorker": Case(
        one(BUILD, "1x60", SERVE, part="serve", version="1"), one(BUILD, "1x60", part="worker", version="1")
    ),
    "HeadraceWorkerNotReady": Case(one("headrace_ready", "0x60"), one("headrace_ready", "1x55 0x5 1x5")),
    "HeadraceLagGrows": Case(
        one("headrace_lag_offsets", "0+1000x60", **BACKLOG), one("headrace_lag_offsets", "90000-1000x60", **BACKLOG)
    ),
    "HeadraceNothingMoves": Case(waiting("5x60", "100x60"), waiting("5x60", "0+10x60")),
    "HeadraceCallsFail": Case(
        one("headrace_retries_total", "0+60x60", dependency="Redis"),
        one("headrace_retries_total", "0+1x60", dependency="Redis"),
    ),
    "HeadraceVersionsDiffer": Case(
        one(BUILD, "1x150", part="worker", version="1") | one(BUILD, "1x150", part="worker", version="2"),
        one(BUILD, "1x150", part="worker", version="1") | one(BUILD, "1x150", part="serve", version="1"),
        minutes=130,
    ),
    "HeadraceModelsDiffer": Case(
        one(MODEL, "1x60", model="quality", key="a") | one(MODEL, "1x60", model="quality", key="b"),
        one(MODEL, "1x60", model="quality", key="a") | one(MODEL, "1x60", model="embedding", key="b"),
    ),
    "HeadraceRecordsLost": Case(
        one("headrace_skipped_offsets_total", "0x30 50x30", topic="views"),
        one("headrace_skipped_offsets_total", "50x60", topic="views"),
    ),
    "HeadraceTopicMadeAgain": Case(
        one("headrace_offset_resets_total", "0x30 1x30", topic="views", reason="made_again"),
        one("headrace_offset_resets_total", "0x30 1x30", topic="views", reason="removed"),
    ),
    "HeadraceQuarantineGrows": Case(events(accepted=900, quarantined=100), events(accepted=970, quarantined=30)),
    "HeadraceCatalogueRejected": Case(
        one("headrace_items_total", "0+90x60", outcome="upserted")
        | one("headrace_items_total", "0+10x60", outcome="quarantined"),
        one("headrace_items_total", "0+98x60", outcome="upserted")
        | one("headrace_items_total", "0+2x60", outcome="quarantined"),
    ),
    "HeadraceUnknownItems": Case(
        events(accepted=100) | one("headrace_events_unknown_item_total", "0+30x60"),
        events(accepted=100) | one("headrace_events_unknown_item_total", "0+10x60"),
    ),
    "HeadraceManyItemsHidden": Case(
        one("headrace_items_known", "100x60") | one("headrace_items_hidden", "40x60", cause="low_quality"),
        one("headrace_items_known", "100x60") | one("headrace_items_hidden", "40x60", cause="unavailable"),
    ),
    "HeadraceEventsMoved": Case(
        events(accepted=100) | one("headrace_foreign_key_total", "0+20x60", kind="view", outcome="moved"),
        events(accepted=100) | one("headrace_foreign_key_total", "0+20x60", kind="view", outcome="in_place"),
    ),
    "HeadraceListsMissing": Case(
        one("headrace_lookups_total", "0+95x150", SERVE, answer="trending")
        | one("headrace_lookups_total", "0+5x150", SERVE, answer="own"),
        one("headrace_lookups_total", "0+50x150", SERVE, answer="trending")
        | one("headrace_lookups_total", "0+50x150", SERVE, answer="own"),
        minutes=130,
    ),
    "HeadraceSnapshotFails": Case(
        one("headrace_snapshot_failures_total", "0x30 1x30"), one("headrace_snapshot_failures_total", "3x60")
    ),
    "HeadraceSnapshotOld": Case(
        one("headrace_snapshot_timestamp_seconds", "60x150"),
        one("headrace_snapshot_timestamp_seconds", "0x150"),
        minutes=90,
    ),
}
