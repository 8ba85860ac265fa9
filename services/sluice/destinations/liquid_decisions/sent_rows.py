"""Rows of an import as they were sent, in little memory: a hash of its identity and one of its values for each.

A row takes 60 bytes. The hashes have 64 bits: two of 50,000 rows are taken for one once in 10^10 imports.
"""

from bisect import bisect_left
from collections.abc import Iterator, Mapping
from typing import Any

from sluice.destinations.liquid_decisions.values import digest

_MASK = 2**64 - 1
_ROW_BITS, _SHAPE_BITS = 32, 32
_DIGEST_AT = _ROW_BITS + _SHAPE_BITS
_HASH_AT = _DIGEST_AT + 64

UNSEEN, DIFFERENT, EQUAL = range(3)
"""What was seen of a row at the vendor. What was equal once was applied, whatever comes after."""


class SentRows:
    """Rows of one import; add all of them, then :meth:`compare` what the vendor has."""

    def __init__(self) -> None:
        self._rows: list[int] = []
        self._shapes: dict[tuple[str, ...], int] = {}
        self._names: list[tuple[str, ...]] = []
        self._states = bytearray()
        self._is_sorted = True
        self.foreign = 0
        """Items of others that were seen."""

    def __len__(self) -> int:
        return len(self._rows)

    def add(self, row: int, identity: str, names: tuple[str, ...], data: Mapping[str, Any]) -> None:
        """Add ``row``, which sets the fields ``names`` to their values in ``data``."""
        shape = self._shapes.get(names)
        if shape is None:
            shape = self._shapes[names] = len(self._names)
            self._names.append(names)
        packed = (hash(identity) & _MASK) << _HASH_AT | (digest(names, data) & _MASK) << _DIGEST_AT
        self._rows.append(packed | shape << _ROW_BITS | row)
        self._is_sorted = False
        if row >= len(self._states):
            self._states.extend(bytes(row + 1 - len(self._states)))

    def compare(self, identity: str, data: Mapping[str, Any]) -> bool:
        """Take note of an item as the vendor has it; return whether it is one of these."""
        if not self._is_sorted:
            self._rows.sort()
            self._is_sorted = True
        start = (hash(identity) & _MASK) << _HASH_AT
        at = bisect_left(self._rows, start)
        if at == len(self._rows) or (packed := self._rows[at]) >> _HASH_AT != start >> _HASH_AT:
            self.foreign += 1
            return False
        row = packed & (2**_ROW_BITS - 1)
        if self._states[row] != EQUAL:
            names = self._names[packed >> _ROW_BITS & (2**_SHAPE_BITS - 1)]
            is_equal = packed >> _DIGEST_AT & _MASK == digest(names, data) & _MASK
            self._states[row] = EQUAL if is_equal else DIFFERENT
        return True

    def states(self) -> Iterator[tuple[int, int]]:
        """Yield each row with what was seen of it."""
        for packed in self._rows:
            row = packed & (2**_ROW_BITS - 1)
            yield row, self._states[row]

    def count(self, *states: int) -> int:
        """Return how many rows are in one of ``states``."""
        return sum(state in states for _, state in self.states())
