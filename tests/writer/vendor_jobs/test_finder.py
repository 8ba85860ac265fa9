"""Finder: a submit whose answer is lost is found, sent anew, or given up; never by a guess."""

import asyncio
from collections.abc import Collection

import pytest
from aiokafka import TopicPartition
from aiokafka.errors import KafkaError

from sluice.destinations.contract import Ambiguous, Misconfigured
from sluice.destinations.vendor_jobs import LostSubmit, Refs, Sent
from sluice.events import Rows
from sluice.writer.vendor_jobs.finder import Finder
from sluice.writer.vendor_jobs.job_table import JobTable, NotArrived, Unknown
from tests.support.factories import record_message
from tests.support.fake_jobs import DONE, FakeJobDestination, FakeReader
from tests.support.fakes import FakeLane
from tests.support.instant_clock import in_background, instantly, turn
from tests.writer.delivery.setups import LONG_OUTAGE, OUTAGE
from tests.writer.vendor_jobs.setups import TOPICS, entries_of, found_job, states_of, table_of

ROWS = Rows(0, 5, 2, 0)


def _finder(destination: FakeJobDestination, table: JobTable) -> Finder:
    return Finder(destination, table, TOPICS, lambda: FakeReader({}))


async def _look(destination: FakeJobDestination, table: JobTable, seconds: float = 0.5) -> None:
    async with in_background(_finder(destination, table).run()):
        await asyncio.sleep(seconds)


@instantly
async def test_what_is_found_is_followed_from_then_on() -> None:
    lanes = [FakeLane(number, jobs=[found_job(ROWS, refs=None)]) for number in (0, 1)]
    table = table_of(*lanes)
    await _look(FakeJobDestination(finds=[{"job": "7"}]), table, 5.0)
    for lane in lanes:
        [entry] = entries_of(lane)
        assert (entry.state, entry.refs) == ("submitted", {"job": "7"})
        assert lane.jobs.by_batch["batch-1"].is_submitted
    assert table.submitted.is_set()
    assert table.verdicts == {}


@instantly
async def test_vendor_is_asked_with_all_that_is_known_and_told_what_it_is_not() -> None:
    lost = found_job(ROWS, refs=None)
    lost.refs = {"job": "7"}
    table = table_of(FakeLane(0, jobs=[lost, found_job(Rows(0, 9, 1, 0), batch_id="batch-2")]))
    destination = FakeJobDestination(finds=[{"job": "7"}])
    await _look(destination, table)
    [(asked, others)] = destination.lost
    assert (asked.fingerprint, asked.refs, asked.batch_key, asked.lost_at_s) == ("f", {"job": "7"}, "company", 0.0)
    assert others == [{"job": "J"}]


@pytest.mark.parametrize(
    ("found", "verdict"),
    [
        pytest.param(None, NotArrived(), id="has not arrived"),
        pytest.param(
            Ambiguous("no list"),
            Unknown("lost-submit", "nobody can tell whether it was applied: no list", uses_attempt=False),
            id="unknown",
        ),
    ],
)
@instantly
async def test_what_is_not_found_is_judged_once(found: Ambiguous | None, verdict: NotArrived | Unknown) -> None:
    lane = FakeLane(0, jobs=[found_job(ROWS, refs=None)])
    table, destination = table_of(lane), FakeJobDestination(finds=[found])
    await _look(destination, table, 60.0)
    assert table.verdicts == {"batch-1": verdict}
    assert (len(destination.lost), states_of(lane)) == (1, [])


@pytest.mark.parametrize(
    ("errors", "seconds"),
    [
        pytest.param([OUTAGE, OUTAGE, OUTAGE], 1 + 2 + 4, id="ever later"),
        pytest.param([LONG_OUTAGE], 600, id="no sooner than it wants"),
        pytest.param([Misconfigured("no right to list jobs")], 1, id="also while a person must change something"),
    ],
)
@instantly
async def test_vendor_that_cannot_tell_now_is_asked_again(errors: list[Misconfigured], seconds: float) -> None:
    lane = FakeLane(0, jobs=[found_job(ROWS, refs=None)])
    destination, table = FakeJobDestination(finds=[*errors, {"job": "7"}]), table_of(lane)
    async with in_background(_finder(destination, table).run()):
        await asyncio.sleep(seconds - 0.1)
        assert not lane.jobs.by_batch["batch-1"].is_submitted
        await asyncio.sleep(len(errors) + 1)  # it looks once a second
        assert lane.jobs.by_batch["batch-1"].is_submitted


def _lost_jobs(*fingerprints: str) -> FakeLane:
    """Return a lane with a lost submit of each fingerprint, whose batches are numbered."""
    jobs = [
        found_job(Rows(0, 10 * number, 1, 0), batch_id=f"batch-{number}", refs=None)
        for number in range(len(fingerprints))
    ]
    for job, fingerprint in zip(jobs, fingerprints, strict=True):
        job.fingerprint = fingerprint
    return FakeLane(0, jobs=jobs)


class _SlowDestination(FakeJobDestination):
    """Its answers take ten seconds."""

    async def find(self, lost: LostSubmit, others: Collection[Refs], sent: Sent) -> Refs | None:
        found = await super().find(lost, others, sent)
        await asyncio.sleep(10)
        return found


@instantly
async def test_one_that_cannot_be_found_now_holds_no_other_up() -> None:
    lane = _lost_jobs("a", "b", "c")
    destination = FakeJobDestination(finds=[OUTAGE, {"job": "7"}, {"job": "8"}])
    await _look(destination, table_of(lane))
    found = {batch_id: job.refs for batch_id, job in lane.jobs.by_batch.items() if job.is_submitted}
    assert found == {"batch-1": {"job": "7"}, "batch-2": {"job": "8"}}


@instantly
async def test_vendor_that_wants_a_pause_is_asked_about_no_other() -> None:
    lane = _lost_jobs(*"aaaaa")
    destination = FakeJobDestination(finds=[LONG_OUTAGE, *[{"job": "7"}] * 5])
    async with in_background(_finder(destination, table_of(lane)).run()):
        await asyncio.sleep(599)
        assert len(destination.lost) == 1
        await asyncio.sleep(10)
        assert len(destination.lost) == 6


@instantly
async def test_a_few_are_looked_for_at_once() -> None:
    destination = _SlowDestination(finds=[None] * 6)
    table = table_of(_lost_jobs(*"abcdef"))
    async with in_background(_finder(destination, table).run()):
        await asyncio.sleep(5)
        assert [lost.fingerprint for lost, _ in destination.lost] == list("abcd")
        await asyncio.sleep(10)
        assert [lost.fingerprint for lost, _ in destination.lost] == list("abcdef")
        await asyncio.sleep(10)
    assert table.verdicts == {f"batch-{number}": NotArrived() for number in range(6)}


@instantly
async def test_of_equal_bodies_the_second_is_looked_for_among_what_the_first_is_not() -> None:
    destination = _SlowDestination(finds=[{"job": "7"}, {"job": "9"}, {"job": "8"}])
    await _look(destination, table_of(_lost_jobs("a", "a", "b")), 25)
    asked = [(lost.fingerprint, others) for lost, others in destination.lost]
    assert asked[:2] == [("a", []), ("b", [])]
    assert asked[2][0] == "a"
    assert {"job": "7"} in asked[2][1]


@instantly
async def test_part_that_does_not_know_of_its_submit_learns_it_from_another_lane() -> None:
    lanes = [FakeLane(0, jobs=[found_job(ROWS, refs=None)]), FakeLane(1, jobs=[found_job(ROWS)])]
    destination = FakeJobDestination()
    await _look(destination, table_of(*lanes))
    assert lanes[0].jobs.by_batch["batch-1"].refs == {"job": "J"}
    assert (states_of(lanes[0]), destination.lost) == (["submitted"], [])


@instantly
async def test_lane_that_is_lost_meanwhile_is_not_told() -> None:
    lane = FakeLane(0, jobs=[found_job(ROWS, refs=None)])
    destination, table = FakeJobDestination(finds=[{"job": "7"}]), table_of(lane)
    [job] = table
    lane.alive = False
    async with in_background(_finder(destination, table).run()):
        await turn()
    assert (states_of(lane), job.known.is_submitted) == ([], False)


@instantly
async def test_nobody_asks_about_what_is_submitted_or_judged() -> None:
    lane = FakeLane(0, jobs=[found_job(ROWS), found_job(Rows(0, 9, 1, 0), batch_id="batch-2", refs=None)])
    destination, table = FakeJobDestination(), table_of(lane)
    table.judge("batch-2", DONE)
    await _look(destination, table, 60.0)
    assert destination.lost == []


class _Comparing(FakeJobDestination):
    """A vendor that has no names for what it was given."""

    async def find(self, lost: LostSubmit, others: Collection[Refs], sent: Sent) -> Refs | None:
        self.seen = [item.offset async for item in sent()]
        return {"job": "seen"}


@instantly
async def test_a_kind_may_compare_what_was_sent_and_kafka_may_fail_meanwhile() -> None:
    lane = FakeLane(0, jobs=[found_job(ROWS, refs=None)])
    messages = {TopicPartition(TOPICS.records, 0): [record_message(offset) for offset in range(20)]}
    reader, destination, table = FakeReader(messages), _Comparing(), table_of(lane)
    reader.errors.append(KafkaError())
    async with in_background(Finder(destination, table, TOPICS, lambda: reader).run()):
        await asyncio.sleep(5)
    assert (destination.seen, reader.opened, reader.open) == ([5, 6], 2, False)
    [job] = table
    assert job.known.refs == {"job": "seen"}
