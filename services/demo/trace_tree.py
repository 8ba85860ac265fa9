"""The traces of one record and of its batch as trees; a span link joins the two traces."""

import asyncio
from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from rich.tree import Tree

from sandbox.control import SandboxControl
from sandbox.otlp.span import Span

_WAIT_S = 6.0
_POLL_S = 0.3
_MAX_ATTEMPTS = 6


class Traces(NamedTuple):
    """The spans of one record, and those of its batch."""

    record: Sequence[Span]
    batch: Sequence[Span]

    @property
    def attempts(self) -> int:
        """Requests that the batch needed."""
        return len(self.batch) - 1


async def find_traces(receiver: SandboxControl) -> Traces | None:
    """Return the traces of one sampled record, if possible of one whose batch met the outage. Waits for late spans."""
    for _ in range(int(_WAIT_S / _POLL_S)):
        found = list(whole_traces(await receiver.spans()))
        if found:
            return max(found, key=_interest)
        await asyncio.sleep(_POLL_S)
    return None


def whole_traces(spans: Iterable[Span]) -> Iterable[Traces]:
    """Yield the traces that have all spans: publishing, batch, request, receipt and consumer."""
    by_trace: dict[str, list[Span]] = defaultdict(list)
    for span in spans:
        by_trace[span.trace_id].append(span)
    for record in by_trace.values():
        kinds = {span.name.partition(" ")[0] for span in record}
        receipts = [span for span in record if span.name.startswith("receipt ") and span.links]
        if not {"send", "receive"} <= kinds or not receipts:
            continue
        batch = by_trace.get(receipts[0].links[0].trace_id, [])
        if len(batch) > 1:
            yield Traces(record, batch)


def trees(traces: Traces) -> list[Tree]:
    """Return the trees of the record and of its batch; times count from the publishing of the record."""
    zero_ns = min(span.start_ns for span in traces.record)
    return [
        _tree("a record's trace", traces.record, zero_ns),
        _tree("its batch's trace, one link away", traces.batch, zero_ns),
    ]


def _interest(traces: Traces) -> tuple[bool, int]:
    return traces.attempts <= _MAX_ATTEMPTS, traces.attempts


def _tree(title: str, spans: Sequence[Span], zero_ns: int) -> Tree:
    tree = Tree(f"[bold]{title}[/] [dim]{spans[0].trace_id}[/]")
    children = defaultdict(list)
    known = {span.span_id for span in spans}
    for span in sorted(spans, key=lambda span: span.start_ns):
        children[span.parent_span_id if span.parent_span_id in known else ""].append(span)
    _grow(tree, children, "", zero_ns)
    return tree


def _grow(tree: Tree, children: dict[str, list[Span]], parent: str, zero_ns: int) -> None:
    for span in children.get(parent, []):
        _grow(tree.add(_label(span, zero_ns)), children, span.span_id, zero_ns)


def _label(span: Span, zero_ns: int) -> str:
    at_s = (span.start_ns - zero_ns) / 1e9
    took_s = (span.end_ns - span.start_ns) / 1e9
    failed = span.status == "ERROR"
    name = f"[red]{span.name}[/]" if failed else f"[cyan]{span.name}[/]"
    return f"{name}  at +{at_s:.3f} s, took {took_s:.3f} s  [dim]{span.service}[/]  {_details(span)}"


def _details(span: Span) -> str:
    """Return the attributes and links of a span that people need, as text."""
    attributes = span.attributes
    if "http.response.status_code" in attributes:
        return f"{attributes.get('url.path', '')} → {attributes['http.response.status_code']}"
    if "messaging.batch.message_count" in attributes:
        return f"{attributes['messaging.batch.message_count']} records, {len(span.links)} of them traced"
    if "sluice.code" in attributes:
        return f"{attributes['sluice.code']}, links to its batch"
    return ""
