"""The spans of every hop: publish, batch, receipt, consumer. An HTTP attempt's is made by ``destinations``.

A record's trace begins where it is published. A batch has many parents, so its span has none and links to the
context of each sampled item; the record's trace in turn gets one short span that links to the batch. Each is one
click from the other::

    send crm.records ──┬── receipt crm.records   ┄┄links┄┄►  process crm.records
    (a record's trace) └── receive crm.succeeded ◄┄┄links┄┄  └── PUT …   (the batch's trace)

Upstream's decision about sampling is kept. A record that is not sampled costs a byte compare. Trace context passes
through Kafka whether spans are made here or not.
"""

import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from functools import cache
from importlib.metadata import version
from random import getrandbits
from typing import NamedTuple

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, SpanProcessor, TracerProvider
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import INVALID_SPAN, Link, NonRecordingSpan, Span, SpanContext, SpanKind

from sluice.telemetry.traceparent import NO_STATE, SAMPLED, is_sampled, sampled_traceparent, span_context

# Names of the OpenTelemetry semantic conventions for messaging, as of the schema pinned here.
# https://opentelemetry.io/docs/specs/semconv/messaging/messaging-spans/ (read 2026-11)
SCHEMA_URL = "https://opentelemetry.io/schemas/1.36.0"
SYSTEM = "messaging.system"
OPERATION_TYPE = "messaging.operation.type"
OPERATION_NAME = "messaging.operation.name"
DESTINATION_NAME = "messaging.destination.name"
BATCH_MESSAGE_COUNT = "messaging.batch.message_count"
# Our own, where the conventions have no word.
BATCH_ID = "sluice.batch_id"
GROUP = "sluice.group"
FATE = "sluice.outcome"
CODE = "sluice.code"

VERSION = version("sluice")


def record_through(provider: TracerProvider, processor: SpanProcessor) -> None:
    """Make the spans of this process with ``provider``, whose spans go to ``processor``."""
    global _tracer, _installed
    _tracer = provider.get_tracer("sluice", VERSION, SCHEMA_URL)
    _installed = _Installed(processor, provider.resource, InstrumentationScope("sluice", VERSION, SCHEMA_URL))


def publish_span(topic: str) -> AbstractContextManager[Span]:
    """Return the span of one message being published; send the ``current_traceparent`` inside it along.

    8 µs where it is not sampled, 17 µs where it is.
    """
    return _tracer.start_as_current_span(f"send {topic}", None, SpanKind.PRODUCER, _operation("send", topic))


@contextmanager
def batch_span(
    topic: str, batch_id: str, group: str, traceparents: Iterable[bytes], *, message_count: int
) -> Iterator[Span]:
    """Yield the span of one batch, current while it is written. ``traceparents`` are those of its sampled items.

    A batch is sampled iff one of its items is: without any, neither this span is made nor any inside it.
    """
    links = [Link(span_context(traceparent)) for traceparent in traceparents] if _installed else []
    if not links:
        with trace.use_span(_NOT_SAMPLED):
            yield _NOT_SAMPLED
        return
    attributes = _batch(topic, batch_id, group, message_count)
    # An empty context: a batch belongs to no trace but its own, whatever the task that writes it is part of.
    with _tracer.start_as_current_span(f"process {topic}", Context(), SpanKind.CONSUMER, attributes, links) as span:
        yield span


@contextmanager
def collect_span(topic: str, batch_id: str, group: str, traceparent: str, *, message_count: int) -> Iterator[Span]:
    """Yield the span of collecting a vendor job, which may run hours after its submit and in another process.

    It belongs to no trace but its own, and links to that of the submit, whose context is ``traceparent``; without a
    sampled one none is made.
    """
    if _installed is None or not is_sampled(traceparent.encode()):
        with trace.use_span(_NOT_SAMPLED):
            yield _NOT_SAMPLED
        return
    attributes = _batch(topic, batch_id, group, message_count)
    links = [Link(span_context(traceparent.encode()))]
    with _tracer.start_as_current_span(f"collect {topic}", Context(), SpanKind.CONSUMER, attributes, links) as span:
        yield span


class Receipt(NamedTuple):
    """Fate of one sampled record, for its trace."""

    traceparent: bytes
    fate: str
    code: str


def record_receipt_spans(batch: Span, topic: str, receipts: Iterable[Receipt]) -> None:
    """Add one span to each sampled record's own trace, from the batch's start until now, with a link to the batch.

    ``batch`` may have ended. The finished spans are made here, at 3 µs each: through the tracer they cost 17 µs, and
    twice as much again in the exporter.
    """
    if _installed is None or not batch.get_span_context().trace_flags.sampled:
        return
    links = [Link(batch.get_span_context())]
    ended_at_ns = time.time_ns()
    started_at_ns = batch.start_time if isinstance(batch, ReadableSpan) else ended_at_ns
    for traceparent, fate, code in receipts:
        parent = span_context(traceparent)
        _installed.processor.on_end(
            ReadableSpan(
                f"receipt {topic}",
                SpanContext(parent.trace_id, getrandbits(64) or 1, False, SAMPLED, NO_STATE),
                parent,
                _installed.resource,
                {FATE: fate, CODE: code},
                links=links,
                start_time=started_at_ns,
                end_time=ended_at_ns,
                instrumentation_scope=_installed.scope,
            )
        )


@contextmanager
def received_span(topic: str, headers: Sequence[tuple[str, bytes]]) -> Iterator[Span]:
    """Yield the span of one message being handed to its consumer, in the message's own trace, if that is sampled."""
    traceparent = sampled_traceparent(headers)
    if traceparent is None:
        yield INVALID_SPAN
        return
    parent = trace.set_span_in_context(NonRecordingSpan(span_context(traceparent)), Context())
    # The conventions make a `receive` a CLIENT: the consumer asks Kafka for it.
    with _tracer.start_as_current_span(
        f"receive {topic}", parent, SpanKind.CLIENT, _operation("receive", topic)
    ) as span:
        yield span


class _Installed(NamedTuple):
    """Parts that every span needs which is made here, and the processor that takes it."""

    processor: SpanProcessor
    resource: Resource
    scope: InstrumentationScope


_NOT_SAMPLED = NonRecordingSpan(SpanContext(trace_id=1, span_id=1, is_remote=False))
_installed: _Installed | None = None
# Until a process installs its own: that of the application which imports Sluice, or one that does nothing.
_tracer = trace.get_tracer("sluice", VERSION, schema_url=SCHEMA_URL)


def _batch(topic: str, batch_id: str, group: str, message_count: int) -> dict[str, str | int]:
    return {**_operation("process", topic), BATCH_MESSAGE_COUNT: message_count, BATCH_ID: batch_id, GROUP: group}


@cache
def _operation(name: str, topic: str) -> dict[str, str]:
    return {SYSTEM: "kafka", OPERATION_TYPE: name, OPERATION_NAME: name, DESTINATION_NAME: topic}
