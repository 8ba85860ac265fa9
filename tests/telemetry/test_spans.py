"""The spans of a batch, of its records and of their consumers."""

import asyncio
from collections.abc import Iterator, Sequence

import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import Span, SpanKind

from sluice.telemetry.spans import (
    SCHEMA_URL,
    Receipt,
    batch_span,
    collect_span,
    publish_span,
    received_span,
    record_receipt_spans,
)
from sluice.telemetry.traceparent import current_traceparent, sampled_traceparent, span_context
from sluice.telemetry.tracing import MAX_LINKS, install

SAMPLED = b"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
NOT_SAMPLED = b"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00"
TRACE_ID = 0x0AF7651916CD43DD8448EB211C80319C
SPAN_ID = 0xB7AD6B7169203331


@pytest.fixture(scope="module")
def exporter() -> Iterator[InMemorySpanExporter]:
    exporter = InMemorySpanExporter()
    install(SimpleSpanProcessor(exporter), sample_ratio=0.0, service="test")
    yield exporter
    exporter.shutdown()


@pytest.fixture
def spans(exporter: InMemorySpanExporter) -> Iterator[InMemorySpanExporter]:
    exporter.clear()
    yield exporter
    exporter.clear()


def finished(spans: InMemorySpanExporter) -> dict[str, ReadableSpan]:
    return {span.name: span for span in spans.get_finished_spans()}


def traceparent(number: int) -> bytes:
    return b"00-%032x-%016x-01" % (number, number)


def one_batch(traceparents: Sequence[bytes] = (SAMPLED,)) -> Span:
    """Make the span of one batch, and end it."""
    with batch_span("crm.records", "b1", "g", traceparents, message_count=1) as batch:
        pass
    return batch


def test_what_is_published_in_a_span_carries_its_context(spans: InMemorySpanExporter) -> None:
    with trace.use_span(trace.NonRecordingSpan(span_context(SAMPLED))), publish_span("crm.records"):
        sent = current_traceparent()
    span = finished(spans)["send crm.records"]
    assert span.context is not None
    assert sent == b"00-%032x-%016x-01" % (TRACE_ID, span.context.span_id)
    assert span.kind is SpanKind.PRODUCER


def test_a_new_trace_is_sampled_by_ratio(spans: InMemorySpanExporter) -> None:
    with publish_span("crm.records"):
        sent = current_traceparent()
    assert sent is not None
    assert sampled_traceparent([("traceparent", sent)]) is None
    assert spans.get_finished_spans() == ()


def test_a_batch_links_to_each_sampled_item(spans: InMemorySpanExporter) -> None:
    with batch_span("crm.records", "b1", "group/company", map(traceparent, range(1, 501)), message_count=1000):
        pass
    span = finished(spans)["process crm.records"]
    assert [link.context.trace_id for link in span.links] == list(range(1, 501))
    assert span.parent is None
    assert span.kind is SpanKind.CONSUMER
    assert span.attributes == {
        "messaging.system": "kafka",
        "messaging.operation.type": "process",
        "messaging.operation.name": "process",
        "messaging.destination.name": "crm.records",
        "messaging.batch.message_count": 1000,
        "sluice.batch_id": "b1",
        "sluice.group": "group/company",
    }


def test_a_batch_links_to_more_items_than_the_sdk_allows_by_itself(spans: InMemorySpanExporter) -> None:
    one_batch([traceparent(number) for number in range(1, MAX_LINKS + 1)])
    assert len(finished(spans)["process crm.records"].links) == MAX_LINKS


def test_a_batch_belongs_to_no_trace_but_its_own(spans: InMemorySpanExporter) -> None:
    ambient = trace.NonRecordingSpan(span_context(SAMPLED))
    with trace.use_span(ambient), batch_span("crm.records", "b1", "g", [SAMPLED], message_count=1) as span:
        assert span.get_span_context().trace_id != TRACE_ID
    assert finished(spans)["process crm.records"].parent is None


def test_a_batch_without_sampled_items_makes_no_span_and_none_inside_it(spans: InMemorySpanExporter) -> None:
    with batch_span("crm.records", "b1", "g", [], message_count=1000) as span:
        assert not span.is_recording()
        with trace.get_tracer("test").start_as_current_span("PUT") as request:
            assert not request.get_span_context().trace_flags.sampled
    assert spans.get_finished_spans() == ()


def test_a_request_is_a_child_of_its_batch(spans: InMemorySpanExporter) -> None:
    tracer = trace.get_tracer("test")
    with batch_span("crm.records", "b1", "g", [SAMPLED], message_count=1), tracer.start_as_current_span("PUT"):
        pass
    request, batch = finished(spans)["PUT"], finished(spans)["process crm.records"]
    assert request.parent == batch.context


async def test_batches_written_at_once_keep_their_requests_apart(spans: InMemorySpanExporter) -> None:
    async def write(number: int) -> None:
        with batch_span("crm.records", str(number), "g", [traceparent(number)], message_count=1) as batch:
            await asyncio.sleep(0)
            assert trace.get_current_span() is batch

    async with asyncio.TaskGroup() as tasks:
        for number in range(1, 6):
            tasks.create_task(write(number))
    assert len({span.context.trace_id for span in spans.get_finished_spans() if span.context}) == 5


def test_a_failed_batch_says_so_in_its_span(spans: InMemorySpanExporter) -> None:
    with pytest.raises(ConnectionError), batch_span("crm.records", "b1", "g", [SAMPLED], message_count=1):
        raise ConnectionError("refused")
    span = finished(spans)["process crm.records"]
    assert not span.status.is_ok
    assert span.events[0].name == "exception"


def test_collecting_a_vendor_job_links_to_its_submit(spans: InMemorySpanExporter) -> None:
    ambient = trace.NonRecordingSpan(span_context(traceparent(7)))
    with trace.use_span(ambient), collect_span("crm.records", "b1", "contact", SAMPLED.decode(), message_count=9):
        pass
    span = finished(spans)["collect crm.records"]
    assert (span.parent, span.kind) == (None, SpanKind.CONSUMER)
    assert [(link.context.trace_id, link.context.span_id) for link in span.links] == [(TRACE_ID, SPAN_ID)]
    assert span.attributes is not None
    assert (span.attributes["messaging.batch.message_count"], span.attributes["sluice.group"]) == (9, "contact")


def test_receipts_of_a_vendor_job_link_to_its_collecting(spans: InMemorySpanExporter) -> None:
    with collect_span("crm.records", "b1", "contact", SAMPLED.decode(), message_count=1) as collecting:
        record_receipt_spans(collecting, "crm.records", [Receipt(traceparent(3), "delivered", "CREATED")])
    receipt, span = finished(spans)["receipt crm.records"], finished(spans)["collect crm.records"]
    assert [link.context for link in receipt.links] == [span.context]


@pytest.mark.parametrize("submit", ["", NOT_SAMPLED.decode(), "no context"], ids=["none", "not sampled", "no context"])
def test_collecting_a_job_whose_submit_was_not_sampled_makes_no_span(spans: InMemorySpanExporter, submit: str) -> None:
    with collect_span("crm.records", "b1", "contact", submit, message_count=9) as span:
        assert not span.is_recording()
        with trace.get_tracer("test").start_as_current_span("GET") as request:
            assert not request.get_span_context().trace_flags.sampled
    assert spans.get_finished_spans() == ()


def test_a_record_and_its_batch_are_one_click_from_each_other(spans: InMemorySpanExporter) -> None:
    record_receipt_spans(one_batch(), "crm.records", [Receipt(SAMPLED, "delivered", "CREATED")])
    receipt, process = finished(spans)["receipt crm.records"], finished(spans)["process crm.records"]
    assert receipt.context is not None
    assert receipt.context.trace_id == TRACE_ID
    assert receipt.parent is not None
    assert receipt.parent.span_id == SPAN_ID
    assert [link.context for link in receipt.links] == [process.context]
    assert [link.context.trace_id for link in process.links] == [TRACE_ID]
    assert receipt.start_time == process.start_time
    assert receipt.attributes == {"sluice.outcome": "delivered", "sluice.code": "CREATED"}


def test_receipts_of_a_batch_that_is_not_sampled_make_no_spans(spans: InMemorySpanExporter) -> None:
    record_receipt_spans(one_batch([]), "crm.records", [Receipt(SAMPLED, "delivered", "CREATED")])
    assert spans.get_finished_spans() == ()


def test_whoever_consumes_a_receipt_continues_the_records_trace(spans: InMemorySpanExporter) -> None:
    with received_span("crm.succeeded", [("traceparent", SAMPLED)]):
        pass
    span = finished(spans)["receive crm.succeeded"]
    assert span.parent is not None
    assert (span.parent.trace_id, span.parent.span_id) == (TRACE_ID, SPAN_ID)


@pytest.mark.parametrize(
    "headers",
    [pytest.param([], id="no context"), pytest.param([("traceparent", NOT_SAMPLED)], id="not sampled")],
)
def test_a_receipt_not_sampled_makes_no_span(spans: InMemorySpanExporter, headers: list[tuple[str, bytes]]) -> None:
    with received_span("crm.succeeded", headers) as span:
        assert not span.is_recording()
    assert spans.get_finished_spans() == ()


def test_every_span_names_the_service_and_the_schema(spans: InMemorySpanExporter) -> None:
    record_receipt_spans(one_batch(), "crm.records", [Receipt(SAMPLED, "delivered", "CREATED")])
    for span in spans.get_finished_spans():
        assert span.resource.attributes["service.name"] == "test"
        assert span.resource.schema_url == SCHEMA_URL
        assert span.instrumentation_scope is not None
        assert span.instrumentation_scope.schema_url == SCHEMA_URL
