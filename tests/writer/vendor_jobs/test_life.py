"""Vendor jobs on a real Kafka, from publishing to receipts: nothing is sent twice, lost, or overtaken."""

from collections import Counter

import pytest

from sandbox.faults.fault import DropAfter, DropBefore, Status
from sluice.client.receipts import DeadLetter
from tests.destinations.depot.vendor import Depot
from tests.support.stage import Message, Stage, code_of, record
from tests.support.writer_process import eventually

ITEMS = 120


def _inserts(count: int = ITEMS) -> list[Message]:
    return [record(f"parcel-{number}", object="parcel", operation="insert") for number in range(count)]


def _upsert(name: str, value: object) -> Message:
    return record(name, object="parcel", value=value)


async def _submitted(depot: Depot, jobs: int = 1) -> None:
    async def look() -> bool:
        return sum(job.state == "waiting" for job in depot.jobs.values()) >= jobs

    await eventually(look)


def _stored(depot: Depot) -> Counter[str]:
    return Counter(name for name, _ in depot.stored)


async def test_results_become_receipts(stage: Stage, depot: Depot) -> None:
    writer = stage.writer(stage.settings())
    places = await stage.publish(
        [_upsert("broken" if n % 10 == 3 else f"p-{n}", "broken" if n % 10 == 3 else n) for n in range(40)]
    )
    receipts = await stage.settled(places)
    codes = [code_of(receipts[place]) for place in places]
    assert codes == ["BROKEN" if n % 10 == 3 else "STORED" for n in range(40)]
    assert len(depot.stored) == 36
    await writer.stop()


async def test_a_writer_that_is_killed_repeats_nothing(stage: Stage, depot: Depot) -> None:
    depot.is_held = True
    config = stage.settings()
    writer = stage.writer(config)
    places = await stage.publish(_inserts())
    await _submitted(depot, 2)
    await writer.kill()
    depot.is_held = False
    stage.writer(config)
    receipts = await stage.settled(places)
    assert {code_of(receipt) for receipt in receipts.values()} == {"STORED"}
    assert set(_stored(depot).values()) == {1}


async def test_polls_that_fail_send_nothing_again(stage: Stage, depot: Depot) -> None:
    depot.is_held = True
    stage.writer(stage.settings())
    places = await stage.publish(_inserts())
    await _submitted(depot)
    depot.faults.add(Status(status=503, times=3, path="/jobs", method="GET"))
    depot.is_held = False
    await stage.settled(places)
    assert set(_stored(depot).values()) == {1}
    assert len(depot.stored) == ITEMS


async def test_a_newer_value_waits_for_a_slow_job_over_a_rolling_restart(stage: Stage, depot: Depot) -> None:
    depot.is_held = True
    config = stage.settings()
    first = stage.writer(config)
    places = await stage.publish([_upsert(f"p-{n}", "old") for n in range(20)])
    await _submitted(depot)
    second = stage.writer(config)
    places += await stage.publish([_upsert(f"p-{n}", "new") for n in range(20)])
    await first.stop()
    third = stage.writer(config)
    await second.stop()
    await third.owns(2)
    depot.is_held = False
    await stage.settled(places)
    assert [value for _, value in depot.stored] == ["old"] * 20 + ["new"] * 20


@pytest.mark.parametrize(
    "fault",
    [
        pytest.param(DropAfter(times=1, path="/jobs/job-1/start"), id="which had arrived"),
        pytest.param(DropBefore(times=1, path="/jobs/job-1/start"), id="which had not"),
    ],
)
async def test_a_lost_start_is_found_or_sent_anew(stage: Stage, depot: Depot, fault: DropAfter | DropBefore) -> None:
    depot.faults.add(fault)
    stage.writer(stage.settings())
    places = await stage.publish(_inserts(30))
    receipts = await stage.settled(places)
    assert {code_of(receipt) for receipt in receipts.values()} == {"STORED"}
    assert set(_stored(depot).values()) == {1}


async def test_a_job_that_somebody_else_aborts_is_not_sent_again(stage: Stage, depot: Depot) -> None:
    depot.is_held = True
    stage.writer(stage.settings(window={"max_items": 1000, "max_age_s": 1.0}))
    places = await stage.publish(_inserts(30))
    await _submitted(depot)
    for job in depot.jobs.values():
        depot.abort(job, after=3)
    receipts = await stage.settled(places)
    counts = Counter(code_of(receipt) for receipt in receipts.values())
    jobs = len(depot.jobs)
    assert counts == {"STORED": 3 * jobs, "aborted-at-vendor": 30 - 3 * jobs}
    letters = [receipt for receipt in receipts.values() if isinstance(receipt, DeadLetter)]
    assert {letter.error_class for letter in letters} == {"cancelled"}
    assert sum(_stored(depot).values()) == 3 * jobs
