"""LaneJobs: rows that are with the vendor are not in memory, and are not read as new ones."""

from collections.abc import Sequence

import pytest

from sluice.events import Rows
from sluice.flow.batch import Item
from sluice.flow.key_hashes import hash_of
from sluice.flow.key_order import OrderTerms
from sluice.flow.lane_job import LaneJob
from sluice.writer.lanes.decoding import Recall
from sluice.writer.lanes.job_rows import MIN_SKIP
from tests.support.factories import DELIVERED, NOON, make_lane_job, record, record_message
from tests.support.fakes import FakeLane, make_answer

LONG = MIN_SKIP + 5


def _found(*rows: Rows) -> LaneJob:
    """A job of the lane's last owner, whose records have their offsets as keys."""
    return make_lane_job(*rows, refs={"job": "J"}, hash_at=lambda offset: hash_of(str(offset).encode()))


def hand_over(lane: FakeLane, job: LaneJob, items: Sequence[Item]) -> None:
    """Let ``items`` leave for ``job``."""
    lane.hand_over(job, items, [hash_of(item.order_key) for item in items])


def _handed_over(lane: FakeLane, *offsets: int) -> tuple[LaneJob, list[Item]]:
    """Accept records and let them leave for a vendor job."""
    items = lane.accept(0, [record_message(offset) for offset in offsets])
    for row, item in enumerate(items):
        item.row = row
    job = make_lane_job(refs={"job": "J"})
    hand_over(lane, job, items)
    return job, items


def _accept(lane: FakeLane, *offsets: int, topic: int = 0) -> list[int]:
    return [item.offset for item in lane.accept(topic, [record_message(offset, topic=topic) for offset in offsets])]


def _same_key(lane: FakeLane, offset: int, key: str) -> list[Item]:
    return lane.accept(0, [record_message(offset, record(key=key))])


def test_items_of_a_submitted_job_leave_memory_and_keep_their_keys_busy() -> None:
    lane = FakeLane()
    job, _ = _handed_over(lane, 3, 4, 6)
    assert (lane.buffer.items, lane.buffer.item_bytes) == (0, 0)
    assert lane.jobs.by_batch == {"batch-1": job}
    assert {offset: job.rows[0].row_of(offset) for offset in (3, 4, 5, 6)} == {3: 0, 4: 1, 5: None, 6: 2}
    assert _same_key(lane, 7, "4") == []
    assert len(_same_key(lane, 8, "5")) == 1
    assert lane.progress[0].position == 3


def test_items_of_several_topics_are_rows_of_one_job() -> None:
    lane = FakeLane()
    items = [*lane.accept(0, [record_message(9)]), *lane.accept(1, [record_message(2, topic=1)])]
    items[0].row, items[1].row = 1, 0
    job = make_lane_job()
    hand_over(lane, job, items)
    assert (job.rows[0].row_of(9), job.rows[1].row_of(2), job.open) == (1, 0, 2)


def test_without_an_order_a_job_keeps_no_key_busy() -> None:
    lane = FakeLane(order_terms=OrderTerms(ordered=False, max_items=9, max_bytes=9_999))
    _handed_over(lane, 3)
    assert len(_same_key(lane, 7, "3")) == 1


def test_rows_that_have_their_fate_are_in_the_job_no_more() -> None:
    lane = FakeLane()
    job, items = _handed_over(lane, 0, 1)
    lane.settle_rows(job, make_answer(items[:1], DELIVERED), NOON)
    assert list(job.rows[0].open.runs()) == [range(1, 2)]
    lane.settle_rows(job, make_answer(items[1:], DELIVERED), NOON)
    assert lane.jobs.by_batch == {}
    assert _same_key(lane, 2, "1") == []  # until Kafka has the receipt
    assert [item.offset for item in lane.commit()] == [2]


def test_records_of_a_job_that_is_found_are_not_read_as_new_ones() -> None:
    lane = FakeLane(jobs=[_found(Rows(0, 5, 2, 0), Rows(1, 7, 1, 2))])
    assert _accept(lane, 4, 5, 6, 8) == [4, 8]
    assert _accept(lane, 7, 8, topic=1) == [8]
    assert _same_key(lane, 9, "5") == []
    assert lane.progress[0].position == 4
    assert lane.progress[1].position == 7


def test_retries_in_a_job_are_none_that_wait() -> None:
    lane = FakeLane(jobs=[_found(Rows(1, 7, 1, 2))])
    lane.waiting_retries[1] = 1
    _accept(lane, 7, 8, topic=1)
    assert lane.waiting_retries[1] == 0


def test_lane_seeks_over_what_is_settled_or_submitted() -> None:
    lane = FakeLane(settled=[set(range(100, LONG))], jobs=[_found(Rows(0, 0, 100, 0), Rows(0, LONG, 1, 100))])
    assert lane.jobs.skip(0) == LONG + 1
    assert (lane.progress[0].next, lane.progress[0].position, lane.progress[0].unsettled) == (LONG + 1, 0, 101)
    assert lane.jobs.skip(0) is None
    assert lane.jobs.skip(1) is None


@pytest.mark.parametrize(
    "found",
    [
        pytest.param(_found(Rows(0, 0, MIN_SKIP - 1, 0)), id="few"),
        pytest.param(_found(Rows(0, 1, LONG, 0)), id="many, behind one that must be read"),
    ],
)
def test_lane_seeks_over_no_more_than_what_comes_next_and_is_worth_it(found: LaneJob) -> None:
    lane = FakeLane(jobs=[found])
    assert lane.jobs.skip(0) is None
    assert lane.progress[0].next == 0


def test_rows_that_were_skipped_are_settled_like_any_other() -> None:
    job = _found(Rows(0, 0, LONG, 0))
    lane = FakeLane(jobs=[job])
    lane.jobs.skip(0)
    messages = [record_message(offset) for offset in range(LONG)]
    items = lane.recall_rows(job, 0, messages, range(LONG), Recall.TO_ENCODE)
    assert [item.row for item in items] == list(range(LONG))
    lane.settle_rows(job, make_answer(items, *[DELIVERED] * LONG), NOON)
    lane.commit()
    assert lane.progress[0].position == LONG
    assert lane.buffer.items == 0


def test_rows_that_are_settled_before_they_are_read_are_passed_by() -> None:
    job = _found(Rows(0, 0, 3, 0))
    lane = FakeLane(jobs=[job])
    items = lane.recall_rows(job, 0, [record_message(offset) for offset in range(3)], range(3), Recall.TO_ENCODE)
    lane.settle_rows(job, make_answer(items[:2], DELIVERED, DELIVERED), NOON)
    lane.commit()
    assert _accept(lane, 0, 1, 2, 3) == [3]
    assert lane.progress[0].position == 2


def test_rows_that_are_still_to_come_are_taken_out_to_be_read() -> None:
    job = _found(Rows(0, 0, 3, 0), Rows(1, 7, 1, 3))
    lane = FakeLane(jobs=[job])
    _accept(lane, 0)
    assert lane.jobs.drop_coming(job) == [(0, 1, 1), (0, 2, 2), (1, 7, 3)]
    assert job.open == 1
    assert _accept(lane, 1, 2) == [1, 2]
    assert _accept(lane, 7, topic=1) == [7]
    assert _same_key(lane, 3, "0") == []


def test_job_whose_rows_are_all_still_to_come_is_gone_when_they_are_taken_out() -> None:
    job = _found(Rows(0, 0, 3, 0))
    lane = FakeLane(jobs=[job])
    assert len(lane.jobs.drop_coming(job)) == 3
    assert lane.jobs.by_batch == {}


def test_rows_that_are_sent_anew_keep_their_keys_busy() -> None:
    lane = FakeLane()
    job, _ = _handed_over(lane, 0)
    [item] = lane.recall_rows(job, 0, [record_message(0)], range(1), Recall.TO_ENCODE)
    lane.jobs.remove(job, {0: [0]})
    assert (lane.jobs.by_batch, lane.buffer.items) == ({}, 1)
    assert _same_key(lane, 1, "0") == []
    lane.settle(make_answer([item], DELIVERED), NOON)
    assert [one.offset for one in lane.commit()] == [1]


def test_row_whose_record_is_gone_from_kafka_holds_nobody_up() -> None:
    lane = FakeLane()
    job, _ = _handed_over(lane, 0, 1)
    assert _same_key(lane, 2, "0") == []
    items = lane.recall_rows(job, 0, [record_message(1)], range(2), Recall.TO_ENCODE)
    assert [item.offset for item in items] == [1]
    assert list(job.rows[0].open.runs()) == [range(1, 2)]
    assert [item.offset for item in lane.due(0.0)] == [2]
    assert lane.progress[0].position == 1


def test_rows_that_were_not_looked_at_are_not_gone() -> None:
    lane = FakeLane()
    job, _ = _handed_over(lane, 0, 1, 2)
    lane.recall_rows(job, 0, [], range(1, 2), Recall.TO_ENCODE)
    assert list(job.rows[0].open.runs()) == [range(1), range(2, 3)]


def test_item_of_a_job_is_no_item_of_another() -> None:
    lane = FakeLane()
    job, _ = _handed_over(lane, 0)
    hand_over(lane, make_lane_job(batch_id="batch-2"), lane.accept(0, [record_message(1)]))
    both = [record_message(0), record_message(1)]
    assert [item.offset for item in lane.recall_rows(job, 0, both, range(2), Recall.TO_ENCODE)] == [0]
