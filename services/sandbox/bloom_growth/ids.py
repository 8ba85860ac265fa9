"""Numbering of objects, each kind by itself. bloom_growth.md §15 [inferred], in place of §13.2.

The first ids of issues, goals and meetings are those that the SDK's newer tests show; the others are invented. They lie
far apart, so that an id of one kind is unknown to every other.
"""

from collections.abc import Iterator, Mapping, Sequence
from itertools import chain, count, filterfalse
from typing import Literal

Kind = Literal["organization", "user", "position", "team", "meeting", "issue", "todo", "goal", "headline", "measurable"]
FIRST_IDS: Mapping[Kind, int] = {
    "organization": 8_211,
    "user": 518_334,
    "position": 1_402_117,
    "team": 96_020,
    "meeting": 349_524,
    "issue": 28_471_978,
    "todo": 61_930_442,
    "goal": 5_265_048,
    "headline": 2_118_705,
    "measurable": 903_611,
}


class Ids:
    """Counter of each kind. The ids ``given`` for a kind come first, in their order, and are never given again."""

    def __init__(self, given: Mapping[Kind, Sequence[int]]) -> None:
        self._next = {kind: _numbering(given.get(kind, ()), first) for kind, first in FIRST_IDS.items()}

    def next(self, kind: Kind) -> int:
        return next(self._next[kind])


def _numbering(given: Sequence[int], first: int) -> Iterator[int]:
    return chain(dict.fromkeys(given), filterfalse(frozenset(given).__contains__, count(first)))
