"""The metrics of lists: how good they are, by what their users do next, and who ranks them."""

from prometheus_client import CollectorRegistry

from agents.declarations import Declarations
from models.contract.events import Kind
from models.ranker.judge import FORMULA, RANKERS
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


class RankerMetrics:
    """Holds the metrics of the learned ranker; `ranker` is the formula or a learned one."""

    def __init__(self, registry: CollectorRegistry) -> None:
        declare = Declarations(registry)
        self.lists = declare.counter("headrace_ranker_lists", "Lists that this worker predicted, and learned from")
        self.seconds = declare.counter(
            "headrace_ranker_seconds", "Time that learning to rank took; its rate is the share of the time"
        )
        self.stopped = declare.gauge(
            "headrace_ranker_stopped", "1 after a number that is none ended learning to rank in this worker"
        )
        self.version = declare.gauge(
            "headrace_ranker_version",
            "The published weights that this worker ranks by, if the formula does not; 0: none",
        )
        self.pinned = declare.gauge("headrace_ranker_pinned", "1 while these weights are pinned")
        self.learned = declare.gauge(
            "headrace_ranker_learned_lists", "Lists that the newest published weights were learned from"
        )
        self.hit_rate = declare.gauge(
            "headrace_ranker_hit_rate",
            "Share of lists that had the next item among 20, before learning it",
            ranker=RANKERS,
        )
        self.mrr = declare.gauge(
            "headrace_ranker_mrr", "Mean of 1 / rank of the next item among 20, before learning it", ranker=RANKERS
        )
        self.loss = declare.gauge(
            "headrace_ranker_loss",
            "Mean of -ln(share of the softmax) of the next item among the candidates, before learning it",
            ranker=RANKERS[1:],
        )
        self.leads = declare.gauge("headrace_ranker_leads", "1 for the one that ranks lists now", ranker=RANKERS)
        self.leads.labels(FORMULA).set(1)
