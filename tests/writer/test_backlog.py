"""The writer process under a backlog: bounded memory, retries that wait, a flood of dead letters."""

import psutil

from sandbox.faults.fault import MissingResults, Outage
from sluice.client.receipts import Succeeded
from sluice.events import Headers
from sluice.kafka.control_topic import read_guard, set_guard
from tests.support.stage import Stage, record
from tests.support.writer_process import WriterProcess, eventually

MAX_BUFFERED = 500
ONE_POLL = 4_000
"""Records that one poll may bring before the buffer's limit is looked at again."""

DUE_RETRY: Headers = [
    ("sluice.attempt", b"2"),
    ("sluice.not-before", b"2026-01-02T12:00:00Z"),
    ("sluice.source.topic", b"crm.records"),
    ("sluice.source.partition", b"0"),
    ("sluice.source.offset", b"0"),
]
"""The headers of a retry that was due long ago."""


async def _pauses(writer: WriterProcess, reason: str, partitions: int) -> bool:
    metrics = (await writer.get("/metrics")).text.splitlines()
    return any(line.endswith(f" {partitions}.0") for line in metrics if f'reason="{reason}"' in line)


async def test_a_backlog_behind_an_outage_stays_in_kafka(stage: Stage) -> None:
    writer = stage.writer(stage.settings(window={"max_items": 1000}, delivery={"max_buffered_items": MAX_BUFFERED}))
    await writer.owns(2)
    before = psutil.Process(writer.pid).memory_info().rss
    stage.app.faults.add(Outage(seconds=3600))
    sources = await stage.publish(record(f"k{n}", text="x" * 500) for n in range(20_000))
    await eventually(lambda: _pauses(writer, "backlog", 2))
    assert (await writer.status())["buffered_items"] <= MAX_BUFFERED + ONE_POLL
    assert psutil.Process(writer.pid).memory_info().rss - before < 100 * 2**20
    stage.app.faults.clear()
    assert len(await stage.settled(sources)) == 20_000


async def test_retries_that_are_due_behind_an_outage_stay_in_kafka(stage: Stage) -> None:
    stage.app.faults.add(Outage(seconds=3600))
    messages = (record(f"k{n}")._replace(headers=DUE_RETRY) for n in range(4 * ONE_POLL))
    await stage.publish(messages, topic=stage.topics.retries[0].name)
    writer = stage.writer(stage.settings(delivery={"max_buffered_items": MAX_BUFFERED}))
    await writer.owns(2)
    await eventually(lambda: _pauses(writer, "retry-backlog", 2 * len(stage.topics.retries)))
    assert (await writer.status())["buffered_items"] <= MAX_BUFFERED + ONE_POLL
    stage.app.faults.clear()

    async def delivered() -> bool:
        return stage.app.vendor.ledger.summary(repeats=False).entries == 4 * ONE_POLL

    await eventually(delivered)


async def test_a_retry_waits_its_time_and_the_next_of_its_key_waits_with_it(stage: Stage) -> None:
    config = stage.settings()
    writer = stage.writer(config)
    await writer.owns(2)
    stage.app.faults.add(MissingResults(method="PUT"))
    (first,) = await stage.publish([record("k", n=1)])
    await writer.settles()
    await writer.stop()  # the key stays parked, whoever owns its lane
    stage.writer(config)
    (second, other) = await stage.publish([record("k", n=2), record("other")])
    receipts = await stage.settled([first, second, other])
    written = [receipts[source].written_at for source in (other, first, second)]
    assert written == sorted(written)
    assert (written[1] - written[0]).total_seconds() > 15
    events = [receipt.event for source in (first, second) if isinstance(receipt := receipts[source], Succeeded)]
    assert [event.attempt for event in events] == [2, 1]


async def test_a_flood_of_dead_letters_stops_all_writers_until_a_person_resumes_them(stage: Stage) -> None:
    kafka, control = stage.connection.kafka, stage.topics.control
    writer = stage.writer(stage.settings(guard={"max_share": 0.5, "over_records": 50}))
    await writer.owns(2)
    # As many as the guard looks at: what comes after them would stay unread.
    bad = await stage.publish(record(f"bad-{n}", object="group/nowhere") for n in range(50))
    await stage.settled(bad)

    async def stopped() -> str | None:
        event = await read_guard(kafka, control)
        return event.reason if event is not None and event.guard == "stopped" else None

    assert "became dead letters" in (await eventually(stopped) or "")
    assert await writer.stop() == 0
    second = stage.writer(stage.settings())
    await second.owns(2)
    good = await stage.publish(record(f"good-{n}") for n in range(10))
    assert "became dead letters" in (await second.status())["stopped_because"]
    assert len(await stage.receipts()) == len(bad)
    await set_guard(kafka, control, "running", reason="the field is back", by="a person")
    assert len(await stage.settled(good)) == 10
