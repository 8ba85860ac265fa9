"""A vendor, or somebody before it, that answers a whole writer strangely: no attempt is used, nothing is repeated."""

from pathlib import Path

import psutil

from sandbox.faults.fault import (
    Bomb,
    Cookies,
    Date,
    DropBefore,
    Endless,
    Garbage,
    Standing,
    Status,
    StatusAfter,
    Truncate,
)
from sluice.client.receipts import DeadLetter, Succeeded
from tests.support.kafka_admin import RunningKafka
from tests.support.stage import Place, Stage, record, staged
from tests.support.writer_process import WriterProcess

PAGE = "<html><h1>Sorry</h1></html>"
STRANGE: list[Standing] = [
    Cookies(times=None, count=3),
    StatusAfter(method="PUT", status=503, body=PAGE),
    Status(method="PUT", status=503, times=3, body=PAGE),
    Garbage(method="PUT"),
    Endless(method="PUT"),
    Bomb(method="PUT"),
    Truncate(method="PUT", seconds=0.5),
    StatusAfter(method="PUT", status=502, retry_after_s=0),
    Status(method="GET", path="/rest/v2/groups/", status=404, body="404 page not found", times=5),
    Endless(method="GET", path="/rest/v2/groups/"),
    Date(times=5),
]
SOON = {"settle_s": 1.0, "read_lag_s": 0.0}


async def _increments_and_others(stage: Stage) -> tuple[list[Place], list[Place]]:
    increments = [record(f"sum-{n}", visits={"increment": 1}) for n in range(40)]
    sources = await stage.publish([*increments, *(record(f"name-{n}", n=n) for n in range(160))])
    return sources[:40], sources[40:]


async def _check(stage: Stage, writer: WriterProcess, increments: list[Place], others: list[Place]) -> None:
    receipts = await stage.settled([*increments, *others])
    for source in others:
        receipt = receipts[source]
        assert isinstance(receipt, Succeeded), receipt
        assert receipt.event.attempt == 1
    for source in increments:
        receipt = receipts[source]
        assert len(stage.sent(source)) <= 1, f"{source} was applied more than once"
        if isinstance(receipt, DeadLetter):
            assert receipt.error_class == "ambiguous"
            assert len(stage.sent(source)) == 1, f"{source} was not applied, and its letter says that nobody can tell"
    assert psutil.Process(writer.pid).memory_info().rss < 200 * 2**20


async def test_strange_answers_use_no_attempt_and_apply_no_increment_twice(
    kafka: RunningKafka, prefix: str, tmp_path: Path
) -> None:
    async with staged(kafka, prefix, tmp_path) as stage:
        writer = stage.writer(stage.settings(to=SOON, window={"max_items": 20}))
        await writer.owns(2)
        for fault in STRANGE:
            stage.app.faults.add(fault)
        await _check(stage, writer, *await _increments_and_others(stage))


async def test_writes_that_are_reset_while_reads_work_are_an_outage(
    kafka: RunningKafka, prefix: str, tmp_path: Path
) -> None:
    async with staged(kafka, prefix, tmp_path) as stage:
        writer = stage.writer(stage.settings(to=SOON, window={"max_items": 20}))
        await writer.owns(2)
        stage.app.faults.add(DropBefore(method="PUT", times=25))
        await _check(stage, writer, *await _increments_and_others(stage))
