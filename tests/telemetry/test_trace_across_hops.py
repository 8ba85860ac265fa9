"""One trace across all hops: the spans of three processes, as they reach a real OTLP receiver."""

import asyncio
import os
import sys
from collections import defaultdict
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from sandbox.faults.fault import Status
from sandbox.otlp.receiver import OtlpReceiver
from sandbox.otlp.span import Span
from sandbox.serving.app import App
from sandbox.serving.server import serve
from tests.support.kafka_admin import RunningKafka
from tests.support.paths import ROOT
from tests.support.stage import Stage, change_settings, staged
from tests.support.writer_process import eventually

GOOD, BAD = 5, 1


class Spans:
    """All spans by the first word of their name."""

    def __init__(self, spans: list[Span], stage: Stage) -> None:
        self.by_word = defaultdict[str, list[Span]](list)
        for span in spans:
            self.by_word[span.name.split()[0]].append(span)
        self.records_topic = stage.topics.records

    def in_trace_of(self, span: Span, word: str) -> list[Span]:
        return [one for one in self.by_word[word] if one.trace_id == span.trace_id]


async def _sluice(config: Path, *arguments: str) -> None:
    """Run ``sluice …`` as a process of its own."""
    environ = {**os.environ, "PYTHONPATH": os.pathsep.join((str(ROOT / "services"), str(ROOT)))}
    command = [sys.executable, "-m", "sluice.cli", "--config", str(config), *arguments]
    process = await asyncio.create_subprocess_exec(*command, env=environ, stdout=asyncio.subprocess.DEVNULL)
    async with asyncio.timeout(60):
        assert await process.wait() == 0


@pytest_asyncio.fixture(scope="module")
async def spans(kafka: RunningKafka, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Spans]:
    """Records published by one process, delivered by another with a hiccup of the vendor, and received by a third."""
    directory, receiver = tmp_path_factory.mktemp("tracing"), OtlpReceiver()
    async with staged(kafka, f"{directory.name}-{os.getpid()}.", directory) as stage, serve(App(receiver)) as otlp:
        stage.app.faults.add(Status(status=503, method="PUT"))
        tracing = {"otlp_endpoint": otlp, "sample_ratio": 1}
        config = change_settings(stage.settings(window={"max_age_s": 2}), tracing=tracing)
        writer = stage.writer(config)
        await writer.owns(2)
        for name, rows, object_ in (("good", GOOD, "group/company"), ("bad", BAD, "group/nowhere")):
            file = directory / f"{name}.csv"
            file.write_text("id,n\n" + "".join(f"{name}-{n},{n}\n" for n in range(rows)), encoding="utf-8")
            await _sluice(config, "publish", "crm", str(file), "--object", object_, "--key", "id")
        await _sluice(config, "outcomes", "tail", "crm", "--since", "beginning", "--limit", str(GOOD + BAD))
        assert await writer.stop() == 0

        async def all_there() -> bool:
            found = list(receiver.spans.find(trace_id=None, service=None, name=None))
            return sum(span.name.startswith("receive ") for span in found) == GOOD + BAD

        await eventually(all_there)
        yield Spans(list(receiver.spans.find(trace_id=None, service=None, name=None)), stage)


def test_publishing_begins_a_trace_for_each_record(spans: Spans) -> None:
    sends = spans.by_word["send"]
    assert {(span.service, span.kind, span.parent_span_id) for span in sends} == {("sluice-publish", "PRODUCER", "")}
    assert len({span.trace_id for span in sends}) == GOOD + BAD


def test_a_batch_has_no_parent_and_links_to_each_of_its_records(spans: Spans) -> None:
    batches = spans.by_word["process"]
    assert {(one.service, one.kind, one.parent_span_id) for one in batches} == {("sluice-writer-crm", "CONSUMER", "")}
    linked = sorted((link.trace_id, link.span_id) for span in batches for link in span.links)
    assert linked == sorted((span.trace_id, span.span_id) for span in spans.by_word["send"])


def test_a_batch_says_what_it_is_in_the_words_of_the_conventions(spans: Spans) -> None:
    for span in spans.by_word["process"]:
        assert span.name == f"process {spans.records_topic}"
        assert span.attributes["messaging.system"] == "kafka"
        assert span.attributes["messaging.operation.type"] == "process"
        assert span.attributes["messaging.destination.name"] == spans.records_topic
        assert span.attributes["messaging.batch.message_count"] == len(span.links)


def test_attempts_over_http_are_clients_below_their_batch(spans: Spans) -> None:
    batches = {(span.trace_id, span.span_id) for span in spans.by_word["process"]}
    puts = spans.by_word["PUT"]
    assert {span.kind for span in puts} == {"CLIENT"}
    assert {(span.trace_id, span.parent_span_id) for span in puts} == batches
    # On a busy machine an attempt may also run out of time, and then has no status.
    assert {span.status for span in puts if span.attributes.get("http.response.status_code") == 503} == {"ERROR"}


def test_from_a_record_its_batch_is_one_click_away(spans: Spans) -> None:
    batches = {(span.trace_id, span.span_id) for span in spans.by_word["process"]}
    for send in spans.by_word["send"]:
        (receipt,) = spans.in_trace_of(send, "receipt")
        (link,) = receipt.links
        assert receipt.parent_span_id == send.span_id
        assert (link.trace_id, link.span_id) in batches


def test_a_receipts_consumer_is_in_the_trace_of_its_record(spans: Spans) -> None:
    for send in spans.by_word["send"]:
        (receive,) = spans.in_trace_of(send, "receive")
        assert (receive.service, receive.kind) == ("sluice-outcomes", "CLIENT")
        assert receive.parent_span_id == send.span_id
        assert receive.name.split(".")[-1] in ("succeeded", "dead-letters")


def test_spans_of_one_trace_follow_each_other_in_time(spans: Spans) -> None:
    for send in spans.by_word["send"]:
        (receipt,), (receive,) = spans.in_trace_of(send, "receipt"), spans.in_trace_of(send, "receive")
        assert send.start_ns <= receipt.start_ns <= receipt.end_ns <= receive.end_ns
