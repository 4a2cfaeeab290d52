"""Spans of the stages of a batch, in the memory of OpenTelemetry's own exporter."""

import sys

import pytest
from builders import batch, event
from event_bench import Bench
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from agents.ports import Handed
from agents.stage_span import no_span
from app.concerns import TraceSettings
from app.errors import UnusableSetting
from app.tracing import Spans, no_begin, open_tracing


@pytest.fixture
def exporter() -> InMemorySpanExporter:
    return InMemorySpanExporter()


@pytest.fixture
def spans(exporter: InMemorySpanExporter) -> Spans:
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    return Spans(provider)


def below(found: list[ReadableSpan], parent: ReadableSpan) -> list[str]:
    """The names of the spans right below this one, in the order in which they began."""
    children = [each for each in found if each.parent is not None and each.parent.span_id == parent.context.span_id]
    return [each.name for each in sorted(children, key=lambda each: each.start_time or 0)]


async def test_each_stage_of_a_batch_is_a_span_below_that_of_its_batch(
    spans: Spans, exporter: InMemorySpanExporter
) -> None:
    bench = Bench()
    bench.metrics.span = spans.stage
    raws = [batch(event("a"), first=7), batch(event("b", item_id="i2"), topic="clicks", partition=0)]

    async def stream() -> "object":
        for raw in raws:
            bench.log.batches += (raw,)
            yield Handed([raw], spans.begin([raw]))

    await bench.process.run(stream())  # type: ignore[arg-type]  # a generator, as the transport's is
    found = list(exporter.get_finished_spans())
    roots = sorted((each for each in found if each.parent is None), key=lambda each: each.start_time or 0)
    assert [each.name for each in roots] == ["batch", "batch"]
    assert [below(found, each) for each in roots] == [["admit", "load", "decide", "write", "emit"]] * 2
    given = roots[0].attributes
    assert given is not None
    assert (given["headrace.topics"], given["headrace.first_offsets"]) == (("views",), (7,))
    assert (given["headrace.partitions"], given["headrace.records"]) == ((0,), 1)
    assert len({each.context.trace_id for each in found}) == 2


async def test_a_stage_that_fails_is_marked(spans: Spans, exporter: InMemorySpanExporter) -> None:
    with pytest.raises(RuntimeError, match="broken"), spans.stage("write"):
        raise RuntimeError("broken")
    [span] = exporter.get_finished_spans()
    assert not span.status.is_ok


def test_nothing_is_spanned_and_nothing_imported_unless_an_address_is_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "opentelemetry.sdk.trace", None)
    assert open_tracing(TraceSettings()) == (no_span, no_begin)


def test_a_package_that_lacks_is_named_with_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "opentelemetry.sdk.trace", None)
    with pytest.raises(UnusableSetting, match=r"in the checkout: .*pip install -e '\.\[tracing\]'"):
        open_tracing(TraceSettings(endpoint="http://collector:4318"))
