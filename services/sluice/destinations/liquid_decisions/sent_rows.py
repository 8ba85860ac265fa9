"""Rows of an import as they were sent, in little memory: a hash of its identity and one of its values for each.

A row takes 60 bytes. The hashes have 64 bits: two of 50,000 rows are taken for one once in 10^10 imports.
"""

from array import array
from bisect import bisect_left
from collections.abc import Iterator, Mapping
from typing import Any

from sluice.destinations.liquid_decisions.values import digest

_MASK = 2**64 - 1

UNSEEN, DIFFERENT, EQUAL = range(3)
"""What was seen of a row at the vendor. What was equal once was applied, whatever comes after."""


class SentRows:
    """Rows of one import; add all of them, then :meth:`compare` what the vendor has."""

    def __init__(self) -> None:
        # Side by side; the hashes of identities rise once all rows are here.
        self._hashes: list[int] = []
        self._rows = array("I")
        self._shapes = array("I")
        self._digests = array("Q")
        self._is_sorted = True
        self._names: dict[tuple[str, ...], int] = {}
        self._by_shape: list[tuple[str, ...]] = []
        self._states = bytearray()
        """By row."""

    def __len__(self) -> int:
        return len(self._hashes)

    def add(self, row: int, identity: str, names: tuple[str, ...], data: Mapping[str, Any]) -> None:
        """Add ``row``, which sets the fields ``names`` to their values in ``data``."""
        shape = self._names.get(names)
        if shape is None:
            shape = self._names[names] = len(self._by_shape)
            self._by_shape.append(names)
        self._hashes.append(hash(identity) & _MASK)
        self._rows.append(row)
        self._shapes.append(shape)
        self._digests.append(digest(names, data) & _MASK)
        self._is_sorted = False
        if row >= len(self._states):
            self._states.extend(bytes(row + 1 - len(self._states)))

    def compare(self, identity: str, data: Mapping[str, Any], *, is_old: bool = False) -> bool:
        """Take note of an item as the vendor has it; return whether it is one of these.

        ``is_old``: it was there before these were sent, so other values are of before, and tell nothing.
        """
        if not self._is_sorted:
            self._sort()
        hashes, wanted = self._hashes, hash(identity) & _MASK
        at = bisect_left(hashes, wanted)
        if at == len(hashes) or hashes[at] != wanted:
            return False
        row = self._rows[at]
        if self._states[row] != EQUAL:
            is_equal = self._digests[at] == digest(self._by_shape[self._shapes[at]], data) & _MASK
            if is_equal or not is_old:
                self._states[row] = EQUAL if is_equal else DIFFERENT
        return True

    def states(self) -> Iterator[tuple[int, int]]:
        """Yield each row with what was seen of it."""
        states = self._states
        for row in self._rows:
            yield row, states[row]

    def count(self, *states: int) -> int:
        """Return how many rows are in one of ``states``."""
        return sum(state in states for _, state in self.states())

    def _sort(self) -> None:
        order = sorted(range(len(self._hashes)), key=self._hashes.__getitem__)
        self._hashes = [self._hashes[at] for at in order]
        self._rows, self._shapes, self._digests = [
            array(known.typecode, [known[at] for at in order]) for known in (self._rows, self._shapes, self._digests)
        ]
        self._is_sorted = True
