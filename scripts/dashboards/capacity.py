"""Capacity: processor, memory and disk, and how much room is left."""

from .grafana import BYTES, COUNT, PER_SECOND, SECONDS, SHARE, Dashboard, Panel, Query, rate

PROCESSES = (
    Panel(
        "Processor",
        "Processors that each process uses. A worker uses about one; add workers up to the number of partitions.",
        [Query("rate(process_cpu_seconds_total[$__rate_interval])", "{{job}} {{instance}}")],
        COUNT,
        amber=0.9,
        red=1.5,
    ),
    Panel(
        "Memory",
        "Resident memory of each process. It grows with kept sessions, items and cached profiles.",
        [Query("process_resident_memory_bytes", "{{job}} {{instance}}")],
        BYTES,
    ),
    Panel(
        "Accepted events by worker",
        "How the work is shared. A worker without events has no partition, or there are more workers than partitions.",
        [Query(rate('headrace_events_total{outcome="accepted"}', "instance"), "{{instance}}")],
        PER_SECOND,
    ),
    Panel(
        "Open files",
        "The share of the allowed open files and connections that each process has in use.",
        [Query("process_open_fds / process_max_fds", "{{job}} {{instance}}")],
        SHARE,
        amber=0.7,
        red=0.9,
    ),
)

STATE = (
    Panel(
        "Memory of the index",
        "The neighbour index of each worker. Settings bound its sessions.",
        [Query("headrace_index_bytes", "{{instance}}")],
        BYTES,
    ),
    Panel(
        "Items",
        "Items of the catalogue and of events; every worker knows all of them.",
        [Query("max(headrace_items_known)", "items")],
        COUNT,
    ),
    Panel(
        "Profiles in memory",
        "At most HEADRACE_WORKER_PROFILE_CACHE for each worker.",
        [Query("headrace_users_cached", "{{instance}}")],
        COUNT,
    ),
)

SNAPSHOTS = (
    Panel(
        "Age of the snapshot",
        "The time since each worker saved its state; a snapshot older than 12 hours is not used. 0 without snapshots.",
        [
            Query(
                "(time() - headrace_snapshot_timestamp_seconds) * (headrace_snapshot_timestamp_seconds > bool 0)",
                "{{instance}}",
            )
        ],
        SECONDS,
        amber=600,
        red=3600,
    ),
    Panel(
        "Size of the snapshot",
        "The disk needs room for two.",
        [Query("headrace_snapshot_bytes", "{{instance}}")],
        BYTES,
    ),
    Panel(
        "Time to save a snapshot",
        "It is saved in the background.",
        [Query("headrace_snapshot_seconds", "{{instance}}")],
        SECONDS,
        amber=30,
        red=60,
    ),
    Panel(
        "Snapshots that failed",
        "In the last hour. The worker's log names the cause, often a full disk.",
        [Query("sum by (instance) (increase(headrace_snapshot_failures_total[1h]))", "{{instance}}")],
        COUNT,
        amber=1,
        red=5,
    ),
)

CAPACITY = Dashboard(
    "capacity",
    "Headrace / Capacity",
    "What the processes use, and how much room is left.",
    {"Processes": PROCESSES, "State of the workers": STATE, "Snapshots": SNAPSHOTS},
)
