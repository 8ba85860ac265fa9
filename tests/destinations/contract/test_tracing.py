"""From a record's trace its batch is one click away, and from collecting a vendor job its submit, over processes."""

import secrets
from collections.abc import Iterable

from sandbox.otlp.span import Link, Span
from tests.destinations.contract.kind_stage import KindStage
from tests.destinations.contract.kinds import every_job_kind, every_kind
from tests.support.stage import Message
from tests.support.writer_process import eventually

COUNT = 5


def _sampled(message: Message) -> tuple[Message, Link]:
    """Return ``message`` with a trace context, and that context."""
    context = Link(trace_id=secrets.token_hex(16), span_id=secrets.token_hex(8))
    traceparent = f"00-{context.trace_id}-{context.span_id}-01".encode()
    return message._replace(headers=[("traceparent", traceparent)]), context


def _context(span: Span) -> Link:
    return Link(trace_id=span.trace_id, span_id=span.span_id)


def _spans(stage: KindStage, word: str) -> list[Span]:
    found = stage.spans.find(trace_id=None, service=None, name=None)
    return [span for span in found if span.name.split()[0] == word]


async def _linked(stage: KindStage, word: str, contexts: Iterable[Link]) -> list[Span]:
    """Wait until spans of that name link to all of ``contexts``; return them."""
    wanted = list(contexts)

    async def look() -> list[Span]:
        spans = [span for span in _spans(stage, word) if any(link in wanted for link in span.links)]
        linked = [link for span in spans for link in span.links]
        return spans if all(context in linked for context in wanted) else []

    return await eventually(look)


async def _receipts(stage: KindStage, contexts: Iterable[Link]) -> list[Span]:
    """Wait until each trace has the span of a receipt below its context; return them."""
    wanted = {(context.trace_id, context.span_id) for context in contexts}

    async def look() -> list[Span]:
        spans = [span for span in _spans(stage, "receipt") if (span.trace_id, span.parent_span_id) in wanted]
        return spans if len(spans) == len(wanted) else []

    return await eventually(look)


@every_kind
async def test_a_record_a_batch_and_its_calls_are_linked(shared: KindStage) -> None:
    kind = shared.kind
    messages, contexts = zip(*(_sampled(kind.upsert(f"traced-{n}", n)) for n in range(COUNT)), strict=True)
    begins_at = len(shared.app.calls)
    await shared.deliver(messages)
    batches = await _linked(shared, "process", contexts)
    receipts = await _receipts(shared, contexts)
    if kind.runs_jobs:
        collects = await _linked(shared, "collect", map(_context, batches))
        assert {link for span in receipts for link in span.links} == set(map(_context, collects))
    else:
        assert {link for span in receipts for link in span.links} == set(map(_context, batches))
    below = {(span.trace_id, span.span_id) for span in batches}
    writes = filter(kind.chosen(*kind.verbs_of("write")), shared.app.calls[begins_at:])
    for method in {call.label.partition(" ")[0] for call in writes}:
        attempts = [span for span in _spans(shared, method) if (span.trace_id, span.parent_span_id) in below]
        assert {span.kind for span in attempts} == {"CLIENT"}


@every_job_kind
async def test_a_job_that_another_process_collects_is_linked_to_its_submit(own: KindStage) -> None:
    kind, vendor = own.kind, own.app.vendor
    kind.hold_jobs(vendor)
    messages, contexts = zip(*(_sampled(kind.insert(f"hours-{n}")) for n in range(COUNT)), strict=True)
    places = await own.stage.publish(messages)
    batches = await _linked(own, "process", contexts)
    await own.writer.kill()
    await own.replace_killed_writer()
    kind.release_jobs(vendor)
    await own.stage.settled(places)
    collects = await _linked(own, "collect", map(_context, batches))
    receipts = await _receipts(own, contexts)
    assert {link for span in receipts for link in span.links} == set(map(_context, collects))
