"""The traces of one record and of its batch as trees; a span link joins the two traces."""

import asyncio
from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from rich.tree import Tree

from demo.screen import Screen
from sandbox.control import SandboxControl
from sandbox.otlp.span import Span

_WAIT_S = 6.0
_POLL_S = 0.3
_MAX_BATCH_SPANS = 7
_MAX_SHOWN = 12


class Traces(NamedTuple):
    """The spans of one record, and those of its batch."""

    record: Sequence[Span]
    batch: Sequence[Span]
    """The batch's own span, and one of each request."""


async def print_trace(screen: Screen, receiver: SandboxControl) -> None:
    """Print the traces of a record and of its batch; times count from the publishing of the record."""
    screen.step("The way of one record, as a trace")
    traces = await _find_traces(receiver)
    if traces is None:
        screen.print("no sampled record has all its spans at the receiver")
        return
    zero_ns = min(span.start_ns for span in traces.record)
    screen.print(_tree("a record's trace", traces.record, zero_ns))
    screen.print(_tree("its batch's trace, one link away", traces.batch, zero_ns))


async def _find_traces(receiver: SandboxControl) -> Traces | None:
    """Return the traces of one sampled record, if possible of one whose batch met the outage. Waits for late spans."""
    for _ in range(int(_WAIT_S / _POLL_S)):
        found = list(_whole_traces(await receiver.spans()))
        if found:
            return max(found, key=lambda traces: (len(traces.batch) <= _MAX_BATCH_SPANS, len(traces.batch)))
        await asyncio.sleep(_POLL_S)
    return None


def _whole_traces(spans: Iterable[Span]) -> Iterable[Traces]:
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


def _tree(title: str, spans: Sequence[Span], zero_ns: int) -> Tree:
    tree = Tree(f"[bold]{title}[/] [dim]{spans[0].trace_id}[/]")
    branches: dict[str, Tree] = {}
    for span in sorted(spans, key=lambda span: span.start_ns)[:_MAX_SHOWN]:  # a parent begins before its children
        branches[span.span_id] = branches.get(span.parent_span_id, tree).add(_label(span, zero_ns))
    if len(spans) > _MAX_SHOWN:
        tree.add(f"and {len(spans) - _MAX_SHOWN} more")
    return tree


def _label(span: Span, zero_ns: int) -> str:
    at_s = (span.start_ns - zero_ns) / 1e9
    took_s = (span.end_ns - span.start_ns) / 1e9
    colour = "red" if span.status == "ERROR" else "cyan"
    return f"[{colour}]{span.name}[/]  at +{at_s:.3f} s, took {took_s:.3f} s  [dim]{span.service}[/]  {_details(span)}"


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
