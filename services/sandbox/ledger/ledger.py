"""The ledger: every entry that a vendor received, with its effect. It answers "was this applied twice?".

Entries are kept as blocks, one per request and family, each with its columns packed in MessagePack: 30 to 100 bytes an
entry. Past ``max_entries`` the oldest blocks are dropped, and the summary says how many entries they held.
"""

from collections import Counter, deque
from collections.abc import Iterator, Sequence
from typing import Literal, NamedTuple

import msgspec

from sandbox.ledger.repeats import Repeats, find_repeats
from sandbox.ledger.rows import Rows, pack, unpack

Mode = Literal["full", "counts"]


class LedgerEntry(msgspec.Struct, frozen=True, kw_only=True):
    """One entry as received, and its effect. ``changed``: it changed the vendor's data."""

    seq: int
    at: float
    request: int
    endpoint: str
    object: str
    key: str
    identifier: str | None
    operation: str
    effect: str
    changed: bool


class LedgerFilter(msgspec.Struct, frozen=True, kw_only=True):
    """Filter for entries: equal in every given field, after sequence number ``after``, at most ``limit``."""

    after: int = 0
    limit: int | None = None
    request: int | None = None
    endpoint: str | None = None
    object: str | None = None
    key: str | None = None
    identifier: str | None = None
    operation: str | None = None
    effect: str | None = None
    changed: bool | None = None


class LedgerSummary(msgspec.Struct, frozen=True, kw_only=True):
    """Counts since the start or the last reset.

    requests: ``METHOD path status`` → requests. effects: object family → effect → entries. changed: entries that
    changed something. max_concurrent: pool → most requests in flight, including refused ones; the pool ``all`` counts
    all. forgotten: entries no longer in memory. repeats: over the entries in memory; null when it was not asked for, or
    only counts are kept.
    """

    requests: dict[str, int]
    entries: int
    effects: dict[str, dict[str, int]]
    changed: int
    max_entries_per_request: int
    max_concurrent: dict[str, int]
    forgotten: int
    repeats: Repeats | None


class _Block(NamedTuple):
    first_seq: int
    size: int
    at: float
    request: int
    endpoint: str
    family: str
    packed: bytes


class Ledger:
    """Record of what a vendor was asked to do, and did."""

    def __init__(self, *, mode: Mode = "full", max_entries: int = 5_000_000) -> None:
        self._mode = mode
        self._max_entries = max_entries
        self.reset()

    def reset(self) -> None:
        self._blocks: deque[_Block] = deque()
        self._requests: Counter[str] = Counter()
        self._effects: dict[str, Counter[str]] = {}
        self._max_concurrent: Counter[str] = Counter()
        self._entries = self._kept = self._changed = self._max_per_request = 0

    def count_request(self, label: str) -> None:
        """Count an answered request under ``METHOD path status``."""
        self._requests[label] += 1

    def count_in_flight(self, pool: str, in_flight: int) -> None:
        if in_flight > self._max_concurrent[pool]:
            self._max_concurrent[pool] = in_flight

    def count_entries(self, entries: int) -> None:
        """Note how many entries one request held, including those past a vendor's limit."""
        self._max_per_request = max(self._max_per_request, entries)

    def record(
        self,
        *,
        at: float,
        request: int,
        endpoint: str,
        family: str,
        objects: Sequence[str],
        keys: list[str],
        identifiers: list[str | None],
        operations: Sequence[str],
        effects: Sequence[str],
        changed: Sequence[bool],
    ) -> None:
        """Record the entries of one request, one column per field; an entry's object is ``family/objects[i]``."""
        count = len(keys)
        if not count:
            return
        self._effects.setdefault(family, Counter()).update(effects)
        self._changed += sum(changed)
        if self._mode == "full":
            packed = pack(Rows(objects, keys, identifiers, operations, effects, changed))
            self._blocks.append(_Block(self._entries + 1, count, at, request, endpoint, family, packed))
            self._kept += count
        self._entries += count
        while self._kept > self._max_entries:
            self._kept -= self._blocks.popleft().size

    def summary(self, *, repeats: bool) -> LedgerSummary:
        """Return the counts. ``repeats`` reads every entry in memory: about a second for a million."""
        full = self._mode == "full"
        return LedgerSummary(
            requests=dict(sorted(self._requests.items())),
            entries=self._entries,
            effects={family: dict(counts) for family, counts in self._effects.items()},
            changed=self._changed,
            max_entries_per_request=self._max_per_request,
            max_concurrent=dict(self._max_concurrent),
            forgotten=self._entries - self._kept if full else self._entries,
            repeats=find_repeats(self._identified) if full and repeats else None,
        )

    def entries(self, wanted: LedgerFilter) -> Iterator[LedgerEntry]:
        """Yield the matching entries in the order of receipt."""
        left = wanted.limit
        for block in tuple(self._blocks):
            if not _may_contain(block, wanted):
                continue
            for entry in _entries(block):
                if left is not None and left <= 0:
                    return
                if _matches(entry, wanted):
                    left = None if left is None else left - 1
                    yield entry

    def _identified(self) -> Iterator[tuple[str, bool]]:
        for block in self._blocks:
            for row in unpack(block.packed):
                if row.identifier:
                    yield row.identifier, row.changed


_EQUAL_FIELDS = ("request", "endpoint", "object", "key", "identifier", "operation", "effect", "changed")


def _entries(block: _Block) -> Iterator[LedgerEntry]:
    for seq, row in enumerate(unpack(block.packed), block.first_seq):
        yield LedgerEntry(
            seq=seq,
            at=block.at,
            request=block.request,
            endpoint=block.endpoint,
            object=f"{block.family}/{row.object}" if row.object else block.family,
            key=row.key,
            identifier=row.identifier,
            operation=row.operation,
            effect=row.effect,
            changed=row.changed,
        )


def _may_contain(block: _Block, wanted: LedgerFilter) -> bool:
    """Exclude a block without unpacking it: MessagePack stores strings as they are."""
    if block.first_seq + block.size <= wanted.after + 1:
        return False
    if wanted.request not in (None, block.request) or wanted.endpoint not in (None, block.endpoint):
        return False
    texts = (wanted.key, wanted.identifier, wanted.operation, wanted.effect)
    return all(text.encode() in block.packed for text in texts if text)


def _matches(entry: LedgerEntry, wanted: LedgerFilter) -> bool:
    if entry.seq <= wanted.after:
        return False
    return all(getattr(wanted, name) in (None, getattr(entry, name)) for name in _EQUAL_FIELDS)
