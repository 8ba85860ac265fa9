"""Store of the last spans received, in protobuf form, shown as ``Span``."""

from collections import deque
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.trace.v1 import trace_pb2

from sandbox.otlp.span import Link, Span

MAX_SPANS = 200_000
"""Spans kept; past this number the oldest are dropped."""


class _StoredSpan(NamedTuple):
    service: str
    span: trace_pb2.Span


class Spans:
    """The last spans received."""

    def __init__(self) -> None:
        self._kept: deque[_StoredSpan] = deque(maxlen=MAX_SPANS)

    def __len__(self) -> int:
        return len(self._kept)

    def add(self, export: ExportTraceServiceRequest) -> None:
        for resource_spans in export.resource_spans:
            service = str(_attributes(resource_spans.resource.attributes).get("service.name", ""))
            for scope_spans in resource_spans.scope_spans:
                self._kept.extend(_StoredSpan(service, span) for span in scope_spans.spans)

    def clear(self) -> None:
        self._kept.clear()

    def find(self, *, trace_id: str | None, service: str | None, name: str | None) -> Iterator[Span]:
        """Yield the spans that match every given field, in the order of receipt."""
        wanted = None if trace_id is None else bytes.fromhex(trace_id)
        for kept in tuple(self._kept):
            if wanted not in (None, kept.span.trace_id):
                continue
            if service in (None, kept.service) and name in (None, kept.span.name):
                yield _view(kept)


def _view(kept: _StoredSpan) -> Span:
    span = kept.span
    return Span(
        trace_id=span.trace_id.hex(),
        span_id=span.span_id.hex(),
        parent_span_id=span.parent_span_id.hex(),
        name=span.name,
        kind=trace_pb2.Span.SpanKind.Name(span.kind).removeprefix("SPAN_KIND_"),
        service=kept.service,
        start_ns=span.start_time_unix_nano,
        end_ns=span.end_time_unix_nano,
        attributes=_attributes(span.attributes),
        links=[Link(trace_id=link.trace_id.hex(), span_id=link.span_id.hex()) for link in span.links],
        status=trace_pb2.Status.StatusCode.Name(span.status.code).removeprefix("STATUS_CODE_"),
    )


def _attributes(pairs: Iterable[KeyValue]) -> dict[str, object]:
    return {pair.key: _value(pair.value) for pair in pairs}


def _value(value: AnyValue) -> object:
    match value.WhichOneof("value"):
        case None:
            return None
        case "array_value":
            return [_value(item) for item in value.array_value.values]
        case "kvlist_value":
            return _attributes(value.kvlist_value.values)
        case "bytes_value":
            return value.bytes_value.hex()
        case simple:
            plain: object = getattr(value, simple)
            return plain
