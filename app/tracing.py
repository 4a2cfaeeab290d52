"""Spans of the stages of each batch, for OpenTelemetry; nothing of it is imported unless it is
asked for.
"""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from importlib.metadata import version
from typing import TYPE_CHECKING

from agents.stage_span import StageSpan, no_span
from app.concerns import TraceSettings
from app.errors import UnusableSetting, install_line
from models.contract.events import RawBatch

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import TracerProvider

Begin = Callable[[Sequence[RawBatch]], Callable[[], None]]

PATH = "/v1/traces"
SERVICE = "headrace-worker"


def no_end() -> None:
    """Do nothing at the end of a batch."""


def no_begin(batches: Sequence[RawBatch]) -> Callable[[], None]:
    """Begin no span."""
    return no_end


class Spans:
    """A span for the batches that are handled together, with one below it for each stage."""

    def __init__(self, provider: "TracerProvider") -> None:
        from opentelemetry import context, trace

        self._tracer = provider.get_tracer("headrace", version("headrace"))
        self._root = context.Context()
        self._attach = context.attach
        self._within = trace.set_span_in_context

    def begin(self, batches: Sequence[RawBatch]) -> Callable[[], None]:
        """Begin a span and make it the current one of this task. Returns what ends it."""
        held = [each for each in batches if len(each)]
        span = self._tracer.start_span(
            "batch",
            context=self._root,
            attributes={
                "messaging.system": "kafka",
                "headrace.topics": [each.topic for each in held],
                "headrace.partitions": [each.partition for each in held],
                "headrace.first_offsets": [int(each.offsets[0]) for each in held],
                "headrace.records": sum(map(len, held)),
            },
        )
        self._attach(self._within(span))
        return span.end

    def stage(self, name: str) -> AbstractContextManager[object]:
        """A span below the current one, for as long as the block takes."""
        return self._tracer.start_as_current_span(name)


def open_tracing(settings: TraceSettings) -> tuple[StageSpan, Begin]:
    """What a worker calls for each stage and for each batch.

    Raises UnusableSetting if spans are asked for and OpenTelemetry is not installed.
    """
    if not settings.endpoint:
        return no_span, no_begin
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
        from opentelemetry.sdk.trace.sampling import ParentBasedTraceIdRatio
    except ImportError:
        raise UnusableSetting(
            f"HEADRACE_TRACE_ENDPOINT needs OpenTelemetry; install the extra, {install_line('tracing')}"
        ) from None
    provider = TracerProvider(
        sampler=ParentBasedTraceIdRatio(settings.share),
        resource=Resource.create({"service.name": SERVICE, "service.version": version("headrace")}),
    )
    address = settings.endpoint.rstrip("/")
    exporter = OTLPSpanExporter(endpoint=address if address.endswith(PATH) else address + PATH)
    provider.add_span_processor(BatchSpanProcessor(exporter))
    spans = Spans(provider)
    return spans.stage, spans.begin
