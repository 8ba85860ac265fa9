"""Verdicts on creates whose answer is lost, from what is listed once nothing can arrive any more.

Of the listed records those count that may be of this create: with a greater id than any that was shown before it was
sent, not made long before the vendor's own time of an earlier answer, and not known to be another item's. Among them

==============================  =====================================================================================
with the same folded title      means
==============================  =====================================================================================
none                            not created, unless one may be the title cut short: then nobody can tell
as many as are in doubt         created, each adopts one, if they are made since and nobody else can have made them
any other number                nobody can tell
==============================  =====================================================================================

Owners are not compared: the server may have put another one (§5). Our clock is not compared with anything (§15).
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from sluice.destinations.bloom_growth.answers import Record
from sluice.destinations.bloom_growth.assumptions import CLOCKS_APART_S, MAX_CLOCKS_APART_S
from sluice.destinations.bloom_growth.titles import fold, may_be_cut
from sluice.destinations.bloom_growth.work import Create
from sluice.flow.batch import InDoubt, Item


class Doubt(NamedTuple):
    """A create whose answer is lost."""

    item: Item
    create: Create
    title: str
    """Folded."""
    is_alone: bool
    """True when nobody else can have made its namesakes meanwhile."""


class Listed(NamedTuple):
    """A listed record that may be of a create in doubt."""

    id: int
    title: str
    """Folded."""
    details_url: str | None
    is_newer: bool
    """True when it is known to be newer than what was there before the create was sent."""


class NotCreated(NamedTuple):
    """Proof that a record was not made, and will not be."""


class Adopted(NamedTuple):
    """The record that an item has made."""

    id: int


class Unknown(NamedTuple):
    """The reason why nobody can tell."""

    why: str


Verdict = NotCreated | Adopted | Unknown


class Bounds:
    """Bounds of what was there before a request left."""

    def __init__(self, kind: str, in_doubt: InDoubt) -> None:
        self._newest_id = int(in_doubt.refs.get(kind, "0"))
        vendor_at = in_doubt.vendor_at
        self._since = None if vendor_at is None else vendor_at - timedelta(seconds=CLOCKS_APART_S)
        self._before = None if vendor_at is None else vendor_at - timedelta(seconds=MAX_CLOCKS_APART_S)

    def listed(self, row: Record) -> Listed | None:
        """Return ``row`` as far as it counts; ``None`` for one that is older."""
        if row.id is None or row.id <= self._newest_id:
            return None
        made_at = None if self._since is None else _instant(row.create_time)
        if made_at is not None and self._before is not None and made_at < self._before:
            return None
        is_newer = self._newest_id > 0  # a guess: an id that nobody has shown us before may be an old one all the same
        if self._since is not None:
            is_newer = made_at is not None and made_at >= self._since
        return Listed(row.id, fold(row.name or ""), row.details_url, is_newer=is_newer)


def judge(doubts: Sequence[Doubt], listed: Mapping[int, Listed]) -> list[tuple[Doubt, Verdict]]:
    """Return the verdict on each of ``doubts``, which have one kind and place, by the records there that count."""
    return [
        pair
        for title in dict.fromkeys(doubt.title for doubt in doubts)
        for pair in _judge_twins([doubt for doubt in doubts if doubt.title == title], listed)
    ]


def judge_claims(claims: Sequence[tuple[Doubt, int]]) -> list[tuple[Doubt, Verdict]]:
    """Return the verdict on each doubt in ``claims``, which pair it with a record whose notes name its event.

    A person may copy a record with its notes, and a publisher may send an event twice: that proves nothing.
    """
    ids: defaultdict[int, list[int]] = defaultdict(list)
    rows: defaultdict[int, list[int]] = defaultdict(list)
    for doubt, id_ in claims:
        ids[doubt.item.row].append(id_)
        rows[id_].append(doubt.item.row)
    verdicts: dict[int, tuple[Doubt, Verdict]] = {}
    for doubt, id_ in claims:
        own = ids[doubt.item.row]
        is_clear = len(own) == len(rows[id_]) == 1
        verdicts[doubt.item.row] = (
            doubt,
            Adopted(id_) if is_clear else Unknown(f"the notes of {_ids(own)} name its event, or several events"),
        )
    return list(verdicts.values())


def _judge_twins(twins: Sequence[Doubt], listed: Mapping[int, Listed]) -> list[tuple[Doubt, Verdict]]:
    title = twins[0].title
    namesakes = [listed[id_] for id_ in sorted(listed) if listed[id_].title == title]
    cut = [one.id for one in listed.values() if may_be_cut(one.title, title)]
    if cut:
        return [(doubt, Unknown(f"{_ids(cut)} may be it, its title cut short")) for doubt in twins]
    if not namesakes:
        return [(doubt, NotCreated()) for doubt in twins]
    found = _ids([one.id for one in namesakes])
    if len(namesakes) != len(twins):
        why = f"expected {len(twins)} with its title, found {found}"
        return [(doubt, Unknown(why)) for doubt in twins]
    if not all(one.is_newer for one in namesakes):
        return [(doubt, Unknown(f"found {found}, which may have been there before")) for doubt in twins]
    return [
        (doubt, Adopted(one.id) if doubt.is_alone else Unknown(f"found {found}; {_advice(doubt.create)}"))
        for doubt, one in zip(twins, namesakes, strict=True)
    ]


def lane_key(create: Create) -> bytes:
    """Return the message key by which one lane has all creates that could be taken for each other."""
    return (fold(create.title) if create.meeting_id is None else str(create.meeting_id)).encode()


def _advice(create: Create) -> str:
    key = "with the title" if create.meeting_id is None else "of one meeting with the meeting's id"
    return (
        "another publisher may have made it meanwhile: look, then redrive or drop this one; publish creates "
        f"{key} as message key, or set `namesakes: none`, and it is adopted"
    )


def _ids(ids: Sequence[int]) -> str:
    return ", ".join(str(one) for one in ids[:10])


def _instant(text: str | None) -> datetime | None:
    """Return an instant that has a zone; another one cannot be compared. §1"""
    try:
        instant = datetime.fromisoformat(text or "")
    except ValueError:
        return None
    return instant if instant.tzinfo is not None else None
