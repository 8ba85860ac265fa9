"""A span in the form that tests and the demo read."""

import msgspec


class Link(msgspec.Struct, frozen=True, kw_only=True):
    """Another span that a span links to."""

    trace_id: str
    span_id: str


class Span(msgspec.Struct, frozen=True, kw_only=True):
    """One span. Ids are lower-case hex, ``parent_span_id`` is empty for a root; ``kind`` and ``status`` are words like
    ``PRODUCER`` and ``ERROR``; times are nanoseconds since 1970."""

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
