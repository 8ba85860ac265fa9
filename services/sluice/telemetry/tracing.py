"""Set-up of a process's tracing: which traces are sampled, and where their spans go."""

import threading
from collections.abc import Callable, Sequence

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import SpanLimits, SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.sampling import (
    ALWAYS_OFF,
    ALWAYS_ON,
    ParentBased,
    Sampler,
    SamplingResult,
    TraceIdRatioBased,
)
from opentelemetry.trace import Link, SpanKind, TraceState
from opentelemetry.util.types import Attributes

from sluice.telemetry.settings import TracingSettings
from sluice.telemetry.spans import SCHEMA_URL, VERSION, record_through

MAX_LINKS = 10_000
"""Links of one span, at least the items of the largest batch; the SDK's own limit is 128."""
MAX_QUEUED_SPANS = 16_384
"""Spans that wait for the exporter; more are dropped. A batch that is sampled whole makes one per item."""
FLUSH_TIMEOUT_S = 5.0
"""Longest wait for the collector at the end of a process."""


def start_tracing(settings: TracingSettings, service: str) -> Callable[[], None]:
    """Send this process's spans to ``settings.otlp_endpoint``; return the function that flushes and stops.

    Without an endpoint nothing is installed. The returned function blocks for ``FLUSH_TIMEOUT_S`` at most, even if
    the collector does not answer: its spans are lost then, and a process in its grace period still ends in time.
    """
    if settings.otlp_endpoint is None:
        return lambda: None
    # Imported here: protobuf and requests cost a fifth of a second, which most commands need not spend.
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    exporter = OTLPSpanExporter(endpoint=settings.otlp_endpoint.rstrip("/") + "/v1/traces")
    provider = install(BatchSpanProcessor(exporter, max_queue_size=MAX_QUEUED_SPANS), settings.sample_ratio, service)

    def stop() -> None:
        # The processor's own shutdown waits for up to 30 s.
        flushing = threading.Thread(target=provider.shutdown, daemon=True)
        flushing.start()
        flushing.join(FLUSH_TIMEOUT_S)

    return stop


def install(processor: SpanProcessor, sample_ratio: float, service: str) -> TracerProvider:
    """Make spans and hand them to ``processor``; sample ``sample_ratio`` of the new traces."""
    provider = TracerProvider(
        sampler=ParentBased(LinkedRoots(sample_ratio)),
        resource=Resource.create({"service.name": service, "service.version": VERSION}, SCHEMA_URL),
        span_limits=SpanLimits(max_links=MAX_LINKS),
        shutdown_on_exit=False,
    )
    provider.add_span_processor(processor)
    trace.set_tracer_provider(provider)
    record_through(provider, processor)
    return provider


class LinkedRoots(Sampler):
    """A sampler of root spans: one with links is sampled if a linked span is, any other by ``ratio``."""

    def __init__(self, ratio: float) -> None:
        self._by_ratio = TraceIdRatioBased(ratio)

    def should_sample(
        self,
        parent_context: Context | None,
        trace_id: int,
        name: str,
        kind: SpanKind | None = None,
        attributes: Attributes = None,
        links: Sequence[Link] | None = None,
        trace_state: TraceState | None = None,
    ) -> SamplingResult:
        """Decide about one root span."""
        if links:
            sampler: Sampler = ALWAYS_ON if any(link.context.trace_flags.sampled for link in links) else ALWAYS_OFF
        else:
            sampler = self._by_ratio
        return sampler.should_sample(parent_context, trace_id, name, kind, attributes, links, trace_state)

    def get_description(self) -> str:
        """Return the name for the SDK's own messages."""
        return f"LinkedRoots{{{self._by_ratio.get_description()}}}"
