"""JobRecords: the records of a job are read again, slice by slice."""

from aiokafka import TopicPartition

from sluice.events import Rows
from sluice.writer.lanes.decoding import Recall
from sluice.writer.vendor_jobs.job_records import JobRecords
from sluice.writer.vendor_jobs.job_table import Job
from tests.support.factories import record_message
from tests.support.fake_jobs import FakeReader
from tests.support.fakes import FakeLane
from tests.writer.vendor_jobs.setups import TOPICS, entries_of, found_job


def _reader(*topics: int) -> FakeReader:
    return FakeReader(
        {
            TopicPartition(TOPICS.inputs[topic], 0): [record_message(offset, topic=topic) for offset in range(20)]
            for topic in topics
        },
        piece=2,
    )


def _lane(*rows: Rows) -> tuple[FakeLane, Job]:
    part = found_job(*rows)
    lane = FakeLane(0, jobs=[part])
    for topic in part.rows:
        lane.accept(topic, [record_message(offset, topic=topic) for offset in range(20)])
    return lane, Job([(lane, part)])


async def test_open_rows_are_recalled_from_each_topic_in_slices() -> None:
    lane, job = _lane(Rows(0, 3, 4, 0), Rows(1, 8, 1, 4))
    part = job.parts[0][1]
    part.remove(0, [4])
    async with _reader(0, 1) as reader:
        slices = [items async for items in JobRecords(TOPICS, reader).recalled(lane, part, Recall.TO_SETTLE)]
    assert sorted((item.topic, item.offset, item.row) for items in slices for item in items) == [
        (0, 3, 0),
        (0, 5, 2),
        (0, 6, 3),
        (1, 8, 4),
    ]
    assert len(slices) > 2


async def test_nothing_is_recalled_for_a_lane_that_is_lost() -> None:
    lane, job = _lane(Rows(0, 3, 4, 0))
    lane.alive = False
    async with _reader(0) as reader:
        records = JobRecords(TOPICS, reader)
        assert [items async for items in records.recalled(lane, job.parts[0][1], None)] == []
        assert [items async for items in records.taken_back(job)] == []


async def test_rows_that_are_taken_back_leave_the_journal_with_their_slice() -> None:
    lane, job = _lane(Rows(0, 3, 4, 0))
    async with _reader(0) as reader:
        async for items in JobRecords(TOPICS, reader).taken_back(job):
            withdrawn = [rows for entry in entries_of(lane) for rows in entry.rows]
            assert sum(rows.length for rows in withdrawn) >= items[-1].row + 1
    assert job.open == 0
    assert {entry.state for entry in entries_of(lane)} == {"withdrawn"}


async def test_what_was_sent_is_looked_at_and_stays_as_it_is() -> None:
    lane, job = _lane(Rows(0, 3, 4, 0), Rows(1, 8, 1, 4))
    part = job.parts[0][1]
    part.remove(0, [4])
    before = lane.buffer.items
    async with _reader(0, 1) as reader:
        records = JobRecords(TOPICS, reader)
        for _ in range(2):
            found = [(item.topic, item.offset, item.row, item.encoded.identity) async for item in records.sent(job)]
            assert found == [(0, 3, 0, "0-3"), (0, 5, 2, "0-5"), (0, 6, 3, "0-6"), (1, 8, 4, "0-8")]
        lane.alive = False
        assert [item async for item in records.sent(job)] == []
    assert (lane.buffer.items, part.open, lane.settlements) == (before, 4, [])
