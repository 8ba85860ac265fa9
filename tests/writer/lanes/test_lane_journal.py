"""LaneJournal: entries without receipts, each as small as its topic takes it."""

from sluice.events import BatchEvent, OpenedJob, Rows
from sluice.flow.key_hashes import decode_hashes, hash_of
from sluice.writer.lanes.lane_journal import LaneJournal
from tests.support.factories import NOON, make_batch, make_item
from tests.support.fakes import FakeCommitter
from tests.support.instant_clock import instantly, turn

JOB = OpenedJob(items=9, fingerprint="f", traceparent="t")


class _Setup:
    def __init__(self, *offsets: int, max_entry_bytes: int = 10_000) -> None:
        self.kept = FakeCommitter()
        self.journal = LaneJournal(self.kept, max_entry_bytes)
        self.batch = make_batch(make_item(offset) for offset in offsets)
        self.items = self.batch.items
        self.hashes = [hash_of(item.order_key) for item in self.items]

    @property
    def entries(self) -> list[BatchEvent]:
        return [entry for entry in self.kept.entries if entry is not None]


@instantly
async def test_opened_batch_names_its_rows_and_both_clocks() -> None:
    setup = _Setup(5, 6, 9)
    await setup.journal.open(setup.batch, setup.items[1:], NOON, None)
    rows = [Rows(0, 6, 1, 1), Rows(0, 9, 1, 2)]
    assert setup.entries == [
        BatchEvent(batch_id="batch-1", state="opened", batch_key="company", requested_at=NOON, rows=rows)
    ]


@instantly
async def test_withdrawn_batch_names_its_rows() -> None:
    setup = _Setup(5, 6)
    await setup.journal.withdraw(setup.batch, setup.items)
    rows = [Rows(0, 5, 2, 0)]
    assert setup.entries == [BatchEvent(batch_id="batch-1", state="withdrawn", batch_key="company", rows=rows)]


@instantly
async def test_opened_job_names_the_key_of_each_row() -> None:
    setup = _Setup(5, 7)
    await setup.journal.open_job(setup.batch, setup.items, setup.hashes, JOB, NOON, NOON)
    [entry] = setup.entries
    assert (entry.state, entry.rows, entry.vendor_at) == ("opened", [Rows(0, 5, 1, 0), Rows(0, 7, 1, 1)], NOON)
    assert entry.vendor_job is not None
    assert (entry.vendor_job.items, entry.vendor_job.fingerprint, entry.vendor_job.traceparent) == (9, "f", "t")
    assert list(decode_hashes(entry.vendor_job.key_hashes)) == [hash_of(item.order_key) for item in setup.items]


@instantly
async def test_names_and_the_submit_are_about_all_rows() -> None:
    setup = _Setup(5)
    await setup.journal.name_job("batch-1", {"job": "J"})
    await setup.journal.submitted("batch-1", {"job": "J", "batch": "B"})
    assert setup.entries == [
        BatchEvent(batch_id="batch-1", state="opened", refs={"job": "J"}),
        BatchEvent(batch_id="batch-1", state="submitted", refs={"job": "J", "batch": "B"}),
    ]


@instantly
async def test_large_entry_becomes_several_with_the_keys_of_their_own_rows() -> None:
    setup = _Setup(*range(0, 40, 2), max_entry_bytes=400)
    await setup.journal.open_job(setup.batch, setup.items, setup.hashes, JOB, NOON, None)
    assert len(setup.entries) > 1
    hashes = [one for entry in setup.entries if (job := entry.vendor_job) for one in decode_hashes(job.key_hashes)]
    assert [rows.offset for entry in setup.entries for rows in entry.rows] == [item.offset for item in setup.items]
    assert hashes == [hash_of(item.order_key) for item in setup.items]


@instantly
async def test_entry_is_written_when_its_last_part_is() -> None:
    setup = _Setup(*range(0, 40, 2), max_entry_bytes=400)
    setup.kept.writing = False
    written = setup.journal.withdraw(setup.batch, setup.items)
    await turn()
    assert not written.done()
    setup.kept.release()
    await written
