"""The writer process, on a real Kafka, against the sandbox's BlueConic over HTTP."""

import asyncio
import random
import uuid
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from sandbox.faults.fault import Latency, Standing, Status
from sluice.client.receipts import DeadLetter, Succeeded
from tests.support.kafka_admin import RunningKafka
from tests.support.stage import Message, Stage, code_of, record, staged


@pytest_asyncio.fixture(scope="module")
async def stage(kafka: RunningKafka, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stage]:
    """Share a stage among the tests of this module, with one writer that delivers all the time."""
    prefix = f"integration-{uuid.uuid4().hex[:8]}."
    async with staged(kafka, prefix, tmp_path_factory.mktemp("integration")) as stage:
        await stage.writer(stage.settings(window={"max_bytes": 20_000})).owns(2)
        yield stage


@pytest_asyncio.fixture
async def own_stage(kafka: RunningKafka, prefix: str, tmp_path: Path) -> AsyncIterator[Stage]:
    """Give a test a stage of its own, without a writer."""
    async with staged(kafka, prefix, tmp_path, lanes=4) as stage:
        yield stage


def _waits_for_vendor(status: dict[str, Any]) -> bool:
    return bool(status["failures_in_a_row"] > 0)


def _is_sending(status: dict[str, Any]) -> bool:
    return bool(status["requests_in_flight"] > 0)


async def test_every_record_gets_its_receipt_in_its_lane_and_is_sent_once(stage: Stage) -> None:
    sources = await stage.publish(record(f"once-{n}", n=n) for n in range(300))
    receipts = await stage.settled(sources)
    assert {code_of(receipt) for receipt in receipts.values()} == {"CREATED"}
    assert {len(stage.sent(source)) for source in sources} == {1}
    assert {receipt.place.partition - partition for (partition, _), receipt in receipts.items()} == {0}


BAD = [
    ("UNKNOWN_GROUP_TYPE", record("bad-1", object="group/nowhere")),
    ("unknown-object", record("bad-2", object="cow")),
    ("bad-property", record("bad-3", größe=1)),
    ("not-a-record-event", Message(b"\xff\x00", b'{"event_id": \xff', [("sluice.attempt", b"\xff"), ("", b"")])),
    ("not-a-record-event", Message(b"bad-5", b"[" * 5000 + b"]" * 5000)),
    ("null-value", Message(b"bad-6", None)),
    ("too-large", record("bad-7", text="x" * 20_000)),
]
"""Records that nobody can deliver, each with the code of its dead letter."""


async def test_what_cannot_be_delivered_becomes_a_dead_letter_with_its_bytes_between_good_records(stage: Stage) -> None:
    bad = [one._replace(partition=0) for _, one in BAD]
    good = [record(f"between-{n}")._replace(partition=0) for n in range(len(bad))]
    sources = await stage.publish([one for pair in zip(bad, good, strict=True) for one in pair])
    receipts = await stage.settled(sources)
    assert [code_of(receipts[source]) for source in sources[1::2]] == ["CREATED"] * len(good)
    letters = [receipts[source] for source in sources[::2]]
    assert [code_of(letter) for letter in letters] == [code for code, _ in BAD]
    for letter, message in zip(letters, bad, strict=True):
        assert isinstance(letter, DeadLetter)
        assert (letter.error_class, letter.key, letter.value) == ("rejected", message.key, message.value)
        assert letter.message


async def test_headers_and_key_of_any_bytes_pass_through_a_receipt(stage: Stage) -> None:
    headers = [("x", b"\xff\x00"), ("x", b""), ("traceparent", b"nonsense"), ("sluice.source.offset", b"-")]
    (source,) = await stage.publish([record("odd-headers")._replace(key=b"\x00\xff", headers=headers)])
    assert isinstance((await stage.settled([source]))[source], Succeeded)


async def test_a_record_whose_headers_fill_a_message_gets_its_receipt(stage: Stage) -> None:
    filling = [("x", random.randbytes(1_048_200))]
    (source,) = await stage.publish([record("filled", n=1)._replace(headers=filling)])
    assert isinstance((await stage.settled([source], within_s=60))[source], Succeeded)


@pytest.mark.parametrize(
    "fault",
    [
        pytest.param(Status(status=429, times=None, path="/rest/v2/groups"), id="429"),
        pytest.param(Status(status=503, times=None, path="/rest/v2/groups"), id="503"),
        pytest.param(Status(status=401, times=None, path="/rest/v2/groups"), id="401"),
        pytest.param(Status(status=403, times=None, path="/rest/v2/groups"), id="403"),
        pytest.param(Status(status=500, times=None, path="/rest/v2/oauth"), id="no token"),
    ],
)
async def test_an_outage_costs_no_record_and_no_attempt_and_neither_does_an_expired_token(
    stage: Stage, fault: Standing
) -> None:
    (writer,) = stage.writers
    stage.app.vendor.expire_tokens()
    stage.app.faults.add(fault)
    sources = await stage.publish(record(f"outage-{uuid.uuid4()}", n=n) for n in range(60))
    await writer.shows(_waits_for_vendor)
    stage.app.faults.clear()
    receipts = (await stage.settled(sources)).values()
    assert {code_of(receipt) for receipt in receipts} == {"CREATED"}
    assert {receipt.event.attempt for receipt in receipts if isinstance(receipt, Succeeded)} == {1}


async def test_a_refused_connection_is_waited_for(stage: Stage) -> None:
    (writer,) = stage.writers
    await stage.close_vendor()
    try:
        sources = await stage.publish(record(f"refused-{n}") for n in range(60))
        await writer.shows(_waits_for_vendor)
    finally:
        await stage.open_vendor()
    receipts = await stage.settled(sources)
    assert {code_of(receipt) for receipt in receipts.values()} == {"CREATED"}


async def test_records_of_one_key_are_applied_as_published(stage: Stage) -> None:
    stage.app.faults.add(Latency(seconds=0.0, jitter_s=0.1, times=None, method="PUT"))
    sources = await stage.publish(record(f"ordered-{n % 5}", n=n) for n in range(100))
    await stage.settled(sources)
    stage.app.faults.clear()
    for number in range(5):
        applied = [entry.seq for source in sources[number::5] for entry in stage.sent(source)]
        assert applied == sorted(applied)
        assert len(applied) == 20


async def test_one_record_that_the_vendor_refuses_is_isolated(stage: Stage) -> None:
    stage.app.faults.add(Latency(seconds=0.5, times=1, method="PUT"))  # so that the rest comes in one window
    good = [_make_order(n, 1) for n in range(30)]
    bad = _make_order(30, 17)
    assert bad.value
    bad = bad._replace(value=bad.value.replace(b":17}", b":1e999}"))  # JSON, but no number that fits
    before = stage.app.vendor.ledger.summary(repeats=False).requests
    sources = await stage.publish([*good[:15], bad, *good[15:]])
    receipts = await stage.settled(sources)
    codes = Counter(code_of(receipts[source]) for source in sources)
    requests = stage.app.vendor.ledger.summary(repeats=False).requests
    assert code_of(receipts[sources[15]]) == "400"
    assert codes == {"400": 1, "NOTFOUND": 30}
    assert requests["PUT /rest/v2/profiles 400"] - before.get("PUT /rest/v2/profiles 400", 0) <= 6


def _make_order(number: int, amount: int) -> Message:
    """Make the record of a timeline event."""
    return record({"profileId": f"p{number}", "id": f"o{number}"}, object="timeline/order", amount=amount)


async def test_status_metrics_and_probes_answer(stage: Stage) -> None:
    (writer,) = stage.writers
    await stage.settled(await stage.publish([record("shown")]))
    status = await writer.status()
    metrics = (await writer.get("/metrics")).text
    assert (status["destination"], status["lanes"], status["stopped_because"]) == ("crm", [0, 1], None)
    assert "sluice_" in metrics
    assert [(await writer.get(path)).status_code for path in ("/livez", "/readyz")] == [200, 200]


async def test_a_stopped_writer_finishes_what_is_in_flight_and_the_next_goes_on_there(own_stage: Stage) -> None:
    writer = own_stage.writer(own_stage.settings())
    await writer.owns(4)
    own_stage.app.faults.add(Latency(seconds=0.5, times=None, method="PUT"))
    sources = await own_stage.publish(record(f"k{n}") for n in range(400))
    await writer.shows(_is_sending)
    assert await writer.stop() == 0
    done = await own_stage.receipts()
    assert 0 < len(done) < 400
    own_stage.app.faults.clear()
    own_stage.writer(own_stage.settings())
    await own_stage.settled(sources)
    assert {len(own_stage.sent(source)) for source in sources} == {1}


async def test_the_lanes_of_a_killed_writer_are_taken_over(own_stage: Stage) -> None:
    config = own_stage.settings()
    first, second = own_stage.writer(config), own_stage.writer(config)
    await asyncio.gather(first.owns(2), second.owns(2))
    own_stage.app.faults.add(Latency(seconds=0.3, times=None, method="PUT"))
    sources = await own_stage.publish(record(f"k{n}")._replace(partition=n % 4) for n in range(800))
    await first.shows(_is_sending)
    await first.kill()
    own_stage.app.faults.clear()
    assert len(await own_stage.settled(sources)) == 800


async def test_a_second_writer_takes_half_of_the_lanes_and_what_waits_there_is_sent_once(own_stage: Stage) -> None:
    config = own_stage.settings()
    first = own_stage.writer(config)
    await first.owns(4)
    own_stage.app.faults.add(Status(status=503, retry_after_s=12, method="PUT"))
    sources = await own_stage.publish([record("first")])
    await first.shows(_waits_for_vendor)
    # A window that closes now has found the limiter ready when it was, and waits for a permit.
    sources += await own_stage.publish(record(f"k{n}")._replace(partition=n % 4) for n in range(40))
    await first.shows(lambda status: status["buffered_items"] >= 41)
    second = own_stage.writer(config)
    await asyncio.gather(first.owns(2), second.owns(2))
    await own_stage.settled(sources)
    assert {len(own_stage.sent(source)) for source in sources} == {1}
    assert [bool(writer.logged("batch settled")) for writer in (first, second)] == [True, True]
