"""Journal entries: however they are divided, they fit, and read together they say the same."""

from collections import Counter
from collections.abc import Sequence

from hypothesis import given, settings
from hypothesis import strategies as st

from sluice.events import BatchEvent, encode_event
from sluice.flow.journal import rows_of
from sluice.flow.journal_entries import entries_of
from tests.support.factories import NOON

Row = tuple[int, int, int, str]
"""Topic, offset, row, job."""
ONE_ROW_BYTES = 400
"""At least what an entry with a single row takes here."""


@st.composite
def _rows(draw: st.DrawFn) -> list[Row]:
    offsets = draw(st.lists(st.integers(0, 10**12), unique=True, max_size=60))
    jobs = st.sampled_from(["a", "b" * 40, "😀" * 20])
    return [(draw(st.integers(0, 2)), offset, row, draw(jobs)) for row, offset in enumerate(sorted(offsets))]


def _entry(rows: Sequence[Row]) -> BatchEvent:
    jobs = Counter([job for _, _, _, job in rows])
    return BatchEvent(
        batch_id="b-1",
        state="settled",
        rows=rows_of([row[:3] for row in rows]),
        counts={"delivered": len(rows)},
        jobs={job: {"delivered": count} for job, count in jobs.items()},
        requested_at=NOON,
    )


def _named(entries: Sequence[BatchEvent]) -> list[tuple[int, int, int]]:
    """Return what ``entries`` name, one after the other."""
    runs = [rows for entry in entries for rows in entry.rows]
    return [(rows.topic, rows.offset + more, rows.row + more) for rows in runs for more in range(rows.length)]


@given(_rows(), st.integers(ONE_ROW_BYTES, 3000))
@settings(max_examples=200, deadline=None)
def test_entries_fit_and_together_say_what_one_would_say(rows: list[Row], max_bytes: int) -> None:
    entries, whole = entries_of(rows, _entry, max_bytes), _entry(rows)
    assert all(len(encode_event(entry)) <= max_bytes for entry in entries)
    assert _named(entries) == [row[:3] for row in rows]
    assert sum(entry.counts["delivered"] for entry in entries) == len(rows)
    jobs: Counter[str] = Counter()
    for entry in entries:
        jobs.update({job: counts["delivered"] for job, counts in entry.jobs.items()})
        assert sum(row.length for row in entry.rows) == entry.counts["delivered"]
    assert jobs == Counter({job: counts["delivered"] for job, counts in whole.jobs.items()})


def test_entry_that_fits_stays_one() -> None:
    rows = [(0, offset, offset, "a") for offset in range(1000)]
    assert entries_of(rows, _entry, ONE_ROW_BYTES) == [_entry(rows)]
