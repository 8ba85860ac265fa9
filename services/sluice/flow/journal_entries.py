"""Journal entries that fit into their topic: one that would be too large becomes several, each of its own rows."""

from collections.abc import Callable, Sequence
from typing import TypeVar

from sluice.events import BatchEvent, encode_event

Row = TypeVar("Row")


def entries_of(rows: Sequence[Row], make: Callable[[Sequence[Row]], BatchEvent], max_bytes: int) -> list[BatchEvent]:
    """Return the entries that ``make`` makes of ``rows``: of all, or of halves until each fits into ``max_bytes``.

    A single row is never too large: what it names is bounded.
    """
    entry = make(rows)
    if len(rows) <= 1 or len(encode_event(entry)) <= max_bytes:
        return [entry]
    middle = len(rows) // 2
    return [*entries_of(rows[:middle], make, max_bytes), *entries_of(rows[middle:], make, max_bytes)]
