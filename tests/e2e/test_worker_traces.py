"""A worker sends spans of its batches to a collector, over OTLP."""

from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from zlib import MAX_WBITS, decompress

import orjson
from aiokafka import AIOKafkaProducer  # type: ignore[import-untyped]  # ships no types
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span
from workers import environment, running_worker

from app.concerns import KafkaSettings, RedisSettings


@contextmanager
def collector() -> Iterator[tuple[str, list[Span]]]:
    """An address for spans, and the spans that came."""
    came: list[Span] = []

    class Receive(BaseHTTPRequestHandler):
        """Takes what an exporter sends."""

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if self.headers.get("Content-Encoding") == "gzip":
                body = decompress(body, MAX_WBITS | 16)
            request = ExportTraceServiceRequest.FromString(body)
            came.extend(span for each in request.resource_spans for scope in each.scope_spans for span in scope.spans)
            self.send_response(200 if self.path == "/v1/traces" else 404)
            self.end_headers()

        def log_message(self, *arguments: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Receive) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}", came
        server.shutdown()


async def test_spans_of_a_batch_reach_the_collector(kafka: KafkaSettings, redis_url: str, tmp_path: Path) -> None:
    redis = RedisSettings(url=redis_url, prefix=f"{kafka.group}:")
    with collector() as (address, came):
        more = {"HEADRACE_TRACE_ENDPOINT": address, "HEADRACE_TRACE_SHARE": "1"}
        with running_worker(environment(kafka, redis, **more), tmp_path / "worker.log") as worker:
            async with AIOKafkaProducer(bootstrap_servers=kafka.bootstrap) as producer:
                event = {"event_id": "e", "user_id": "ada", "item_id": "i", "ts": 1_790_000_000}
                await producer.send_and_wait(f"{kafka.topic_prefix}views", orjson.dumps(event), key=b"ada")
            worker.until_events(1)
            worker.stop()  # what waits is sent at the end
    [batch] = [span for span in came if span.name == "batch"]
    stages = [span.name for span in sorted(came, key=lambda span: span.start_time_unix_nano) if span.parent_span_id]
    assert stages == ["admit", "load", "decide", "write", "emit"]
    assert {span.parent_span_id for span in came if span is not batch} == {batch.span_id}
    records = [each.value.int_value for each in batch.attributes if each.key == "headrace.records"]
    assert records == [1]
