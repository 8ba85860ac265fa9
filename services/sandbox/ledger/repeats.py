"""Finder of the identifiers that were received, or applied, more than once: exact, in two passes, with little memory.

The first pass sets one bit per identifier. An identifier whose bit was already set becomes a candidate: every repeated
identifier, and a few that only share a bit. The second pass counts the candidates. A plain counter over 5,000,000
identifiers would take half a gigabyte.
"""

from collections.abc import Callable, Iterator

import msgspec

_BITS = 1 << 26
_SHOWN = 100


class Repeat(msgspec.Struct, frozen=True, kw_only=True):
    """Counts of one identifier: times received, and times that it changed something."""

    identifier: str
    received: int
    changed: int


class Repeats(msgspec.Struct, frozen=True, kw_only=True):
    """The number of identifiers received, and of those applied, more than once; the first 100 of them."""

    received_more_than_once: int
    changed_more_than_once: int
    first: list[Repeat]


def find_repeats(entries: Callable[[], Iterator[tuple[str, bool]]]) -> Repeats:
    """Count the repeats in (identifier, changed) pairs, which each call of ``entries`` must yield anew."""
    received = dict.fromkeys(_candidates(entries()), 0)
    changed = dict.fromkeys(received, 0)
    if received:
        for identifier, is_change in entries():
            if identifier in received:
                received[identifier] += 1
                changed[identifier] += is_change
    repeated = [identifier for identifier, times in received.items() if times > 1]
    return Repeats(
        received_more_than_once=len(repeated),
        changed_more_than_once=sum(changed[identifier] > 1 for identifier in repeated),
        first=[
            Repeat(identifier=identifier, received=received[identifier], changed=changed[identifier])
            for identifier in sorted(repeated, key=lambda name: -changed[name])[:_SHOWN]
        ],
    )


def _candidates(entries: Iterator[tuple[str, bool]]) -> Iterator[str]:
    seen = bytearray(_BITS // 8)
    for identifier, _ in entries:
        slot = hash(identifier) % _BITS
        bit = 1 << (slot & 7)
        if seen[slot >> 3] & bit:
            yield identifier
        seen[slot >> 3] |= bit
