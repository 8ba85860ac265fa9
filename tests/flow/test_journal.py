"""Journal: a restart knows exactly what is settled beyond the commit."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any, Literal

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sluice.events import BatchEvent, OpenedJob, Rows
from sluice.flow.batch import InDoubt
from sluice.flow.journal import Journal, rows_of
from sluice.flow.key_hashes import encode_hashes
from sluice.flow.offset_set import OffsetSet
from sluice.flow.offsets import OffsetProgress
from tests.support.factories import NOON, starts_at
from tests.support.memory import held_bytes

TOPICS = 3


def _entry(*rows: Rows) -> BatchEvent:
    return BatchEvent(batch_id="b", state="settled", rows=list(rows))


def _offsets(offsets: OffsetSet) -> list[int]:
    return [offset for run in offsets.runs() for offset in run]


def _in_doubt(journal: Journal) -> list[int]:
    """Return the offsets of the records topic below 20 that are in doubt."""
    return [offset for offset in range(20) if journal.in_doubt[0].batch_of(offset)]


class KafkaLane:
    """The parts of a lane that Kafka keeps: the journal with its gaps, its beginning, the committed offsets."""

    def __init__(self) -> None:
        self.entries: list[tuple[int, BatchEvent]] = []
        self.end = 0
        self.committed = [0] * TOPICS
        self.journal_start = 0

    def append(self, entries: Sequence[BatchEvent]) -> list[int]:
        """Write ``entries`` and the transaction's control record behind them. Return the positions of ``entries``."""
        positions = list(range(self.end, self.end + len(entries)))
        self.entries += zip(positions, entries, strict=True)
        self.end += len(entries) + 1
        return positions

    def reopened(self) -> Journal:
        journal = Journal(starts_at(*self.committed), opened_at_s=7.0)
        start = self.journal_start
        for position, entry in self.entries:
            if position >= start:
                journal.read(position, entry)
        return journal


class CommitterModel:
    """Commit cycles of one owner: they settle batches, commit the contiguous prefix and the journal's start."""

    def __init__(self, kafka: KafkaLane, given_offsets: Sequence[Sequence[int]]) -> None:
        self._kafka = kafka
        self._journal = kafka.reopened()
        self.progress = [OffsetProgress(offset) for offset in kafka.committed]
        for progress, offsets, known in zip(self.progress, given_offsets, self._journal.settled, strict=True):
            fresh = [offset for offset in offsets if progress.follows(offset)]
            progress.give(fresh)
            progress.settle(_offsets(known))

    def cycle(self, batches: Sequence[Sequence[tuple[int, int]]]) -> None:
        entries = []
        for batch in batches:
            for topic, offset in batch:
                self.progress[topic].settle([offset])
            entries.append(_entry(*rows_of([(*item, row) for row, item in enumerate(sorted(batch))])))
        journal_start = self._journal.start
        positions = self._kafka.append(entries)
        self._kafka.committed = [progress.position for progress in self.progress]
        self._kafka.journal_start = journal_start
        for position, entry in zip(positions, entries, strict=True):
            self._journal.wrote(position, entry)
        self._journal.committed(self._kafka.committed)


OFFSETS = st.tuples(*[st.sets(st.integers(0, 25), max_size=10).map(sorted) for _ in range(TOPICS)])
"""Offsets of records by input topic, with gaps."""


@given(OFFSETS, st.data())
@settings(max_examples=150, deadline=None)
def test_restart_knows_exactly_the_offsets_settled_beyond_the_commit(
    given_offsets: tuple[list[int], ...], data: st.DataObject
) -> None:
    kafka = KafkaLane()
    committer = CommitterModel(kafka, given_offsets)
    unsettled = [(topic, offset) for topic, offsets in enumerate(given_offsets) for offset in offsets]
    settled: set[tuple[int, int]] = set()
    while unsettled:
        batches = data.draw(_batches(unsettled))
        for item in (item for batch in batches for item in batch):
            unsettled.remove(item)
            settled.add(item)
        committer.cycle(batches)
        reopened = kafka.reopened()
        for topic in range(TOPICS):
            beyond = {offset for number, offset in settled if number == topic and offset >= kafka.committed[topic]}
            assert _offsets(reopened.settled[topic]) == sorted(beyond)
        if data.draw(st.booleans(), label="the lane moves to a new owner"):
            committer = CommitterModel(kafka, given_offsets)


def _batches(unsettled: list[tuple[int, int]]) -> st.SearchStrategy[list[list[tuple[int, int]]]]:
    """Draw the batches that one cycle settles: some of ``unsettled``, in one or two."""
    some = st.lists(st.sampled_from(unsettled), min_size=1, max_size=6, unique=True)
    return st.tuples(some, st.integers(1, 6)).map(lambda drawn: [part for part in _split(*drawn) if part])


def _split(items: list[tuple[int, int]], middle: int) -> list[list[tuple[int, int]]]:
    return [items[:middle], items[middle:]]


def test_journal_is_read_from_the_oldest_entry_that_matters() -> None:
    journal = Journal(starts_at(0), opened_at_s=7.0)
    journal.wrote(10, _entry(Rows(0, 5, 2, 0)))
    journal.wrote(11, _entry(Rows(0, 0, 2, 0)))
    journal.committed([2])
    assert journal.start == 10


def test_journal_without_entries_that_matter_is_read_from_its_end() -> None:
    journal = Journal(starts_at(0), opened_at_s=7.0)
    journal.wrote(10, _entry(Rows(0, 0, 2, 0)))
    journal.committed([2])
    assert journal.start == 11


def test_entry_matters_until_each_topic_has_passed_it() -> None:
    journal = Journal(starts_at(0, 0), opened_at_s=7.0)
    journal.wrote(4, _entry(Rows(0, 0, 1, 0), Rows(1, 3, 1, 1)))
    journal.committed([1, 3])
    assert journal.start == 4
    journal.committed([1, 4])
    assert journal.start == 5


def test_entry_below_the_commit_does_not_matter_when_it_is_read() -> None:
    journal = Journal(starts_at(10), opened_at_s=7.0)
    journal.read(4, _entry(Rows(0, 3, 7, 0)))
    assert (_offsets(journal.settled[0]), journal.start) == ([], 5)


def test_entry_across_the_commit_settles_only_what_lies_beyond() -> None:
    journal = Journal(starts_at(10), opened_at_s=7.0)
    journal.read(4, _entry(Rows(0, 8, 4, 0)))
    assert (_offsets(journal.settled[0]), journal.start) == ([10, 11], 4)


def _open(batch_id: str, *rows: Rows, state: Literal["opened", "submitted"] = "opened") -> BatchEvent:
    return BatchEvent(
        batch_id=batch_id,
        state=state,
        rows=list(rows),
        refs={"job": "7"},
        requested_at=NOON,
        vendor_at=NOON - timedelta(seconds=5),
    )


@pytest.mark.parametrize("state", ["opened", "submitted"])
def test_entry_that_is_not_settled_leaves_its_offsets_open(state: Literal["opened", "submitted"]) -> None:
    journal = Journal(starts_at(0), opened_at_s=7.0)
    journal.read(4, _open("b", Rows(0, 1, 2, 0), state=state))
    opened = InDoubt(
        batch_id="b",
        refs={"job": "7"},
        requested_at=NOON,
        lost_at_s=7.0,
        vendor_at=NOON - timedelta(seconds=5),
    )
    assert [journal.in_doubt[0].batch_of(offset) for offset in range(4)] == [None, opened, opened, None]
    assert (_offsets(journal.settled[0]), journal.start) == ([], 4)


def test_offsets_that_are_settled_are_open_no_more() -> None:
    journal = Journal(starts_at(0), opened_at_s=7.0)
    journal.read(4, _open("b", Rows(0, 1, 3, 0)))
    journal.read(6, _entry(Rows(0, 2, 1, 1)))
    assert (_offsets(journal.settled[0]), _in_doubt(journal)) == ([2], [1, 3])


def test_what_was_noted_of_a_record_adds_up_until_it_has_its_fate() -> None:
    journal = Journal(starts_at(0), opened_at_s=7.0)
    journal.read(4, _open("b", Rows(0, 1, 3, 0)))
    for position, refs in enumerate(({"meeting": "7"}, {"added": "9"}), start=5):
        journal.read(position, _noted(refs, Rows(0, 2, 1, 1)))
    journal.read(7, _open("b", Rows(0, 2, 1, 1)))  # sent again after an outage
    journal.read(8, _noted({"meeting": "8"}, Rows(0, 3, 1, 2)))
    journal.read(9, _entry(Rows(0, 3, 1, 2)))
    assert journal.refs[0] == {2: {"meeting": "7", "added": "9"}}
    assert (_in_doubt(journal), journal.start) == ([1, 2], 4)


def _noted(refs: dict[str, str], *rows: Rows) -> BatchEvent:
    return BatchEvent(batch_id="b", state="noted", refs=refs, rows=list(rows))


def test_offsets_below_the_commit_are_not_open() -> None:
    journal = Journal(starts_at(2), opened_at_s=7.0)
    journal.read(4, _open("b", Rows(0, 1, 2, 0)))
    assert _in_doubt(journal) == [2]


def test_offset_that_was_sent_twice_is_open_in_the_later_batch() -> None:
    journal = Journal(starts_at(0), opened_at_s=7.0)
    journal.read(4, _open("first", Rows(0, 1, 1, 0)))
    journal.read(6, _open("second", Rows(0, 1, 1, 0)))
    sent_in = journal.in_doubt[0].batch_of(1)
    assert sent_in is not None
    assert sent_in.batch_id == "second"


def _read_millions_settled_behind_one() -> Journal:
    journal = Journal(starts_at(0), opened_at_s=7.0)
    for position, start in enumerate(range(1, 3_500_000, 250)):
        journal.read(position, _entry(Rows(0, start, 250, 0)))
    return journal


def test_millions_settled_behind_one_open_offset_take_no_memory_when_they_are_read() -> None:
    """As sets of offsets these were 463 MiB."""
    journal, size_bytes = held_bytes(_read_millions_settled_behind_one)
    assert (len(journal.settled[0]), journal.start) == (3_500_000, 0)
    assert size_bytes < 1_500_000


def test_journal_starts_at_no_later_entry_when_many_that_matter_are_merged() -> None:
    journal, count = Journal(starts_at(0, 0), opened_at_s=7.0), 5000
    for position in range(count):
        journal.wrote(position, _entry(Rows(position % 2, position + 1, 1, 0)))
    for position in range(0, count, 100):
        assert journal.start <= position
        journal.committed([position, position])
    journal.committed([count + 1, count + 1])
    assert journal.start == count


ITEMS = st.lists(st.tuples(st.integers(0, 2), st.integers(0, 12), st.integers(0, 12)), max_size=20, unique=True)


@given(ITEMS.map(sorted))
@settings(max_examples=200, deadline=None)
def test_rows_name_each_item_with_its_row(items: list[tuple[int, int, int]]) -> None:
    named = [
        (rows.topic, rows.offset + step, rows.row + step) for rows in rows_of(items) for step in range(rows.length)
    ]
    assert named == items


@pytest.mark.parametrize(
    ("items", "rows"),
    [
        pytest.param([], [], id="nothing"),
        pytest.param([(0, 5, 0), (0, 6, 1), (0, 7, 2)], [Rows(0, 5, 3, 0)], id="a batch of neighbours is one run"),
        pytest.param([(0, 5, 0), (0, 7, 1)], [Rows(0, 5, 1, 0), Rows(0, 7, 1, 1)], id="a gap in offsets"),
        pytest.param([(0, 5, 0), (0, 6, 9)], [Rows(0, 5, 1, 0), Rows(0, 6, 1, 9)], id="a jump in rows"),
        pytest.param([(0, 5, 0), (1, 6, 1)], [Rows(0, 5, 1, 0), Rows(1, 6, 1, 1)], id="another topic"),
        pytest.param([(0, 5, -1), (0, 6, -1)], [Rows(0, 5, 2, -1)], id="items that were in no batch"),
    ],
)
def test_rows_are_as_few_as_can_be(items: list[tuple[int, int, int]], rows: list[Rows]) -> None:
    assert rows_of(items) == rows


def test_what_was_withdrawn_is_not_open() -> None:
    journal = Journal(starts_at(0), opened_at_s=7.0)
    rows = rows_of([(0, 5, 0), (0, 6, 1)])
    journal.read(0, BatchEvent(batch_id="b", state="opened", rows=rows, requested_at=NOON))
    journal.read(1, BatchEvent(batch_id="b", state="withdrawn", rows=rows[:1]))
    assert not journal.in_doubt[0]


def _named(topic_id: str, *rows: Rows, topic: int = 0) -> BatchEvent:
    return BatchEvent(batch_id="b", state="settled", rows=list(rows), topic_ids=[""] * topic + [topic_id])


def test_rows_of_another_topic_of_the_name_settle_nothing() -> None:
    journal = Journal(starts_at(0, 0, topic_ids=["new", "new"]), opened_at_s=7.0)
    journal.read(4, _named("old", Rows(0, 0, 9, 0)))
    journal.read(5, _named("new", Rows(0, 2, 1, 0)))
    journal.read(6, _named("old", Rows(1, 0, 9, 0), topic=1))
    assert [_offsets(settled) for settled in journal.settled] == [[2], []]
    assert (journal.start, journal.other_ids) == (5, ["old", "old"])


def test_rows_without_an_id_belong_to_the_topic_that_is_named_after_them() -> None:
    journal = Journal(starts_at(0, topic_ids=["new"]), opened_at_s=7.0)
    journal.read(4, _entry(Rows(0, 0, 5, 0)))
    journal.read(5, _open("b", Rows(0, 6, 2, 0)))
    assert len(journal.settled[0]) == 5
    journal.read(6, _named("old", Rows(0, 5, 1, 0)))
    assert (_offsets(journal.settled[0]), _in_doubt(journal), journal.ends) == ([], [], [0])


@pytest.mark.parametrize(
    "rows",
    [
        pytest.param(Rows(9, 0, 1, 0), id="no such topic"),
        pytest.param(Rows(-1, 0, 1, 0), id="a negative topic"),
        pytest.param(Rows(0, 5, -5, 0), id="a negative length"),
        pytest.param(Rows(0, -9, 5, 0), id="a negative offset"),
        pytest.param(Rows(0, 2**62, 2**62, 0), id="far beyond the log"),
    ],
)
def test_rows_that_make_no_sense_settle_nothing(rows: Rows) -> None:
    journal = Journal(starts_at(0), opened_at_s=7.0)
    journal.read(0, _entry(rows))
    assert not journal.settled[0]


def test_rows_beyond_the_end_of_the_log_are_not_there() -> None:
    journal = Journal(starts_at(0), opened_at_s=7.0)
    journal.read(0, _entry(Rows(0, 0, 2**62, 0)))
    assert len(journal.settled[0]) == 10_000_000


def _opened(*rows: Rows, batch_id: str = "job-1") -> BatchEvent:
    hashes = encode_hashes(offset for one in rows for offset in range(one.offset, one.offset + one.length))
    job = OpenedJob(items=9, fingerprint="f", key_hashes=hashes)
    return BatchEvent(batch_id=batch_id, state="opened", rows=list(rows), requested_at=NOON, vendor_job=job)


def _about(state: Literal["opened", "submitted", "settled", "withdrawn"], *rows: Rows, **refs: str) -> BatchEvent:
    return BatchEvent(batch_id="job-1", state=state, rows=list(rows), refs=refs)


def _read(*entries: BatchEvent, committed: int = 0) -> Journal:
    journal = Journal(starts_at(committed, 0, 0), opened_at_s=3.0)
    for position, entry in enumerate(entries):
        journal.read(position, entry)
    return journal


def test_a_vendor_job_is_found_with_its_rows_its_keys_and_its_names() -> None:
    journal = _read(_opened(Rows(0, 5, 3, 0), Rows(1, 2, 1, 3)), _about("opened", job="J"))
    [job] = journal.jobs.values()
    assert (job.open, job.items, job.refs, job.is_submitted, job.lost_at_s) == (4, 9, {"job": "J"}, False, 3.0)
    assert job.rows[0].row_of(7) == 2
    assert list(job.rows[1].open_hashes) == [2]
    assert not journal.in_doubt[0]
    assert journal.has(0, 6)
    assert not journal.has(0, 8)


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"key_hashes": "abc"}, id="no base64"),
        pytest.param({"key_hashes": "é"}, id="no ASCII"),
        pytest.param({"key_hashes": encode_hashes([1])}, id="too few hashes"),
        pytest.param({"items": 1}, id="rows beyond the last item"),
        pytest.param({"items": 2**40}, id="too many items"),
    ],
)
def test_a_vendor_job_that_makes_no_sense_is_none(changes: dict[str, Any]) -> None:
    entry = _opened(Rows(0, 5, 2, 0))
    assert entry.vendor_job is not None
    foreign = msgspec.structs.replace(entry, vendor_job=msgspec.structs.replace(entry.vendor_job, **changes))
    assert (_read(foreign).jobs, _in_doubt(_read(foreign))) == ({}, [])


def test_a_submitted_job_keeps_the_rows_that_have_no_fate() -> None:
    journal = _read(_opened(Rows(0, 5, 3, 0)), _about("submitted", job="J"), _about("settled", Rows(0, 6, 1, 1)))
    [job] = journal.jobs.values()
    assert job.is_submitted
    assert list(job.rows[0].open_hashes) == [5, 7]
    assert journal.has(0, 6)


@pytest.mark.parametrize("state", ["settled", "withdrawn"])
def test_a_job_ends_with_its_last_row(state: Literal["settled", "withdrawn"]) -> None:
    journal = _read(_opened(Rows(0, 5, 3, 0)), _about("submitted", job="J"), _about(state, Rows(0, 5, 3, 0)))
    assert journal.jobs == {}


def test_rows_below_the_commit_are_none_of_a_job() -> None:
    journal = _read(_opened(Rows(0, 5, 3, 0)), committed=7)
    [job] = journal.jobs.values()
    assert list(job.rows[0].open_hashes) == [7]
    assert job.rows[0].row_of(7) == 2
    assert _read(_opened(Rows(0, 5, 3, 0)), committed=8).jobs == {}


def test_a_job_in_several_entries_is_one() -> None:
    journal = _read(_opened(Rows(0, 5, 1, 0)), _opened(Rows(0, 9, 1, 1)), _about("submitted", job="J"))
    [job] = journal.jobs.values()
    assert job.open == 2


def test_names_of_a_job_that_is_not_known_mean_nothing() -> None:
    assert _read(_about("submitted", job="J")).jobs == {}


def test_what_was_sent_anew_as_another_job_belongs_to_that() -> None:
    journal = _read(
        _opened(Rows(0, 5, 3, 0)), _about("withdrawn", Rows(0, 5, 3, 0)), _opened(Rows(0, 5, 3, 0), batch_id="job-2")
    )
    assert list(journal.jobs) == ["job-2"]
