"""The set-up of tracing: its sampler, and the way to a collector."""

import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.sdk.trace.sampling import Decision

from sluice.telemetry.settings import TracingSettings
from sluice.telemetry.spans import SCHEMA_URL
from sluice.telemetry.tracing import LinkedRoots, start_tracing


def test_without_an_endpoint_there_is_nothing_to_stop() -> None:
    start_tracing(TracingSettings(), "test")()


def test_spans_reach_a_collector_before_the_process_ends() -> None:
    with ThreadingHTTPServer(("127.0.0.1", 0), Collector) as collector:
        threading.Thread(target=collector.serve_forever).start()
        subprocess.run([sys.executable, "-c", PUBLISH, f"http://127.0.0.1:{collector.server_port}/"], check=True)
        collector.shutdown()
    [resource_spans] = Collector.received.resource_spans
    assert Collector.path == "/v1/traces"
    assert resource_spans.schema_url == SCHEMA_URL
    assert [span.name for span in resource_spans.scope_spans[0].spans] == ["send crm.records"]


PUBLISH = """
import sys
from sluice.telemetry.settings import TracingSettings
from sluice.telemetry.spans import publish_span
from sluice.telemetry.tracing import start_tracing

stop = start_tracing(TracingSettings(otlp_endpoint=sys.argv[1], sample_ratio=1.0), "test")
with publish_span("crm.records"):
    pass
stop()
"""


class Collector(BaseHTTPRequestHandler):
    """A collector that keeps the request it got last."""

    path: str
    received = ExportTraceServiceRequest()

    def do_POST(self) -> None:
        Collector.path = self.path
        Collector.received.ParseFromString(self.rfile.read(int(self.headers["Content-Length"])))
        self.send_response(200)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the base class's name
        pass


@pytest.mark.parametrize("ratio", [0.0, 1.0, 0.25])
def test_roots_without_links_are_sampled_by_ratio(ratio: float) -> None:
    sampler = LinkedRoots(ratio)
    ids = range(0, 1 << 64, 1 << 54)
    sampled = [sampler.should_sample(None, trace_id, "send").decision is Decision.RECORD_AND_SAMPLE for trace_id in ids]
    assert sum(sampled) == ratio * len(ids)
