"""A span as tests and the demo read it."""

import msgspec


class Link(msgspec.Struct, frozen=True, kw_only=True):
    """Another span that a span points at."""

    trace_id: str
    span_id: str


class Span(msgspec.Struct, frozen=True, kw_only=True):
    """One span. Ids in lower-case hex, `parent_span_id` empty for a root; `kind` and `status` as words: `PRODUCER`,
    `ERROR`; instants in nanoseconds since 1970."""

    trace_id: str
    span_id: str
    parent_span_id: str
    name: str
    kind: str
    service: str
    start_ns: int
    end_ns: int
    attributes: dict[str, object]
    links: list[Link]
    status: str
