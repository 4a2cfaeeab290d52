"""The metrics of lists: how good they are, by what their users do next."""

from prometheus_client import CollectorRegistry

from agents.declarations import Declarations
from models.contract.events import Kind
from models.ranking.lists import SOURCES

KINDS = tuple(kind.label for kind in Kind)


class ListQualityMetrics:
    """Holds the metrics of how good stored lists are, by what their users do next."""

    def __init__(self, registry: CollectorRegistry) -> None:
        declare = Declarations(registry)
        self.scored = declare.counter(
            "headrace_scored_events", "Events that were looked for in the list that their user had", kind=KINDS
        )
        self.hits = declare.counter(
            "headrace_scored_hits",
            "Events whose item stood in the list that their user had, by what had found it",
            kind=KINDS,
            source=SOURCES,
        )
        self.reciprocals = declare.counter(
            "headrace_scored_reciprocal_ranks",
            "Sum of 1 / rank of these items; divided by headrace_scored_events it is the MRR",
            kind=KINDS,
        )
