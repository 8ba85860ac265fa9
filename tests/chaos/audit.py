"""The audit: a pure function that finds broken promises in what was published and what is left behind.

It believes none of the writer's own figures: it compares its receipts with the records as Kafka has them, and with the
vendor's ledger.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from math import inf
from typing import Literal, NamedTuple

Place = tuple[int, int]
"""Partition and offset of a record in the records topic."""

Expected = Literal["good", "increment", "rejected", "refused", "poison", "partial"]
"""What should become of a record: ``increment`` may not be repeated, ``poison`` never reaches the vendor.

``refused`` is ``rejected`` where nobody can tell once the answer is lost. ``partial``: some of its parts are refused.
"""
PARTIAL = "partial"
"""The code of a record of which some parts are at the vendor and others not."""

Verdict = Literal["delivered", "skipped", "rejected", "ambiguous", "retryable", "cancelled"]

ALLOWED: dict[Expected, tuple[Verdict, ...]] = {
    "good": ("delivered", "skipped"),
    "increment": ("delivered", "ambiguous"),
    "rejected": ("rejected",),
    "poison": ("rejected",),
    "refused": ("rejected", "ambiguous"),
    "partial": ("rejected", "ambiguous"),
}

MAX_RSS_BYTES = 300 * 1024 * 1024


class Record(NamedTuple):
    """A life of a record as a ``read_committed`` consumer sees it: as it was published, or redriven."""

    source: Place
    order_key: bytes
    expected: Expected
    redriven_to: int | None = None
    """The offset of a redriven life in the records topic; ``source`` is where its first life stands."""
    redrives: int = 0
    makes: str = ""
    """The name of the thing that it makes at the vendor, which others may make too; empty for a record that makes none.
    """
    parts: frozenset[str] = frozenset()
    """Those that the thing must have when the record is delivered."""

    @property
    def place(self) -> Place:
        """Where this life stands in the records topic."""
        return self.source if self.redriven_to is None else (self.source[0], self.redriven_to)


class Receipt(NamedTuple):
    """A receipt as a ``read_committed`` consumer sees it."""

    source: Place
    lane: int
    verdict: Verdict
    code: str
    written_at_s: float
    made: str | None = None
    """The id of the thing that it says was made."""


class Made(NamedTuple):
    """A thing that the vendor has made, as it stands there at the end."""

    name: str
    id: str
    parts: frozenset[str] = frozenset()


NOTHING = Made("", "")


class Entry(NamedTuple):
    """The vendor's ledger on one entry of one request, in the order of receipt."""

    source: Place
    effect: str
    changed: bool


class Retry(NamedTuple):
    """A message in a retry topic."""

    source: Place
    place: tuple[str, int, int]
    written_at_s: float


class Sample(NamedTuple):
    """The committed offsets of the records topic at a moment of the harm."""

    at_s: float
    committed: Mapping[int, int]


class Evidence(NamedTuple):
    """All that a round leaves behind."""

    records: Sequence[Record]
    receipts: Sequence[Receipt]
    ledger: Sequence[Entry]
    retries: Sequence[Retry]
    committed: Mapping[tuple[str, int], int]
    """By input topic and partition, at the end."""
    records_topic: str
    samples: Sequence[Sample] = ()
    peak_rss_bytes: int = 0
    codes_are_effects: bool = True
    """True when a receipt's code is the ledger's word for the effect."""
    may_cancel: bool = False
    """True when somebody has ended vendor jobs early."""
    may_refuse: bool = False
    """True when somebody refuses what is good, in the vendor's place or in its name."""
    made: Sequence[Made] = ()
    """Everything that was made, by whatever request."""


class Violation(NamedTuple):
    """A promise that was broken, and by what."""

    kind: str
    what: str


def audit(evidence: Evidence) -> list[Violation]:
    """Return every violation; none if all promises were kept."""
    return [
        *_one_receipt(evidence),
        *_one_redrive(evidence),
        *_right_receipts(evidence),
        *_agreement(evidence),
        *_things(evidence),
        *_order(evidence),
        *_commits(evidence),
        *_unread(evidence),
        *_memory(evidence),
    ]


def _one_receipt(evidence: Evidence) -> Iterator[Violation]:
    """Check that each life of each record has one receipt."""
    counts = Counter(receipt.source for receipt in evidence.receipts)
    lives = Counter(record.source for record in evidence.records)
    for record in evidence.records:
        if record.redriven_to is not None:
            continue
        expected, found = lives[record.source], counts[record.source]
        if found < expected:
            yield Violation("missing", f"{_name(record)} has {found} receipts for {expected} lives")
        elif found > expected:
            mine = [receipt for receipt in evidence.receipts if receipt.source == record.source]
            yield Violation("double", f"{_name(record)} has {found} receipts for {expected} lives: {mine}")
    for source in counts.keys() - lives.keys():
        yield Violation("strange", f"a receipt for {source}, where no committed record stands")


def _one_redrive(evidence: Evidence) -> Iterator[Violation]:
    """Check that no two lives of a record have as many redrives behind them: a letter is redriven once at most."""
    for (source, redrives), lives in Counter((record.source, record.redrives) for record in evidence.records).items():
        if lives > 1:
            yield Violation("redriven twice", f"{source} has {lives} lives after {redrives} redrives")


def _right_receipts(evidence: Evidence) -> Iterator[Violation]:
    records = {record.source: record for record in evidence.records}
    for receipt in evidence.receipts:
        record = records.get(receipt.source)
        if receipt.lane != receipt.source[0]:
            yield Violation("wrong lane", f"the receipt of {receipt.source} stands in lane {receipt.lane}")
        excused = (evidence.may_cancel and receipt.verdict == "cancelled") or (
            evidence.may_refuse and receipt.verdict == "rejected"
        )
        if record is not None and not excused and receipt.verdict not in ALLOWED[record.expected]:
            yield Violation("wrong fate", f"{_name(record)} became {receipt.verdict} {receipt.code}")


def _agreement(evidence: Evidence) -> Iterator[Violation]:
    entries = defaultdict[Place, list[Entry]](list)
    for entry in evidence.ledger:
        entries[entry.source].append(entry)
    receipts = {receipt.source: receipt for receipt in evidence.receipts}
    for record in evidence.records:
        if record.makes:
            continue  # several may make the same: ``_things``
        mine, receipt = entries[record.source], receipts.get(record.source)
        applied = sum(entry.changed for entry in mine)
        effects = [entry.effect for entry in mine]
        if record.expected == "poison" and mine:
            yield Violation("sent", f"{_name(record)} was sent: {effects}")
        if record.expected == "increment" and applied > 1:
            yield Violation("applied twice", f"{_name(record)} was applied {applied} times: {effects}")
        if receipt is None:
            continue
        is_told = receipt.code in effects if evidence.codes_are_effects else applied > 0
        if receipt.verdict in ("delivered", "skipped") and not is_told:
            yield Violation("disagreement", f"{_name(record)} is {receipt.code} here, to the vendor {effects}")
        if receipt.verdict in ("rejected", "retryable", "cancelled") and applied:
            yield Violation("disagreement", f"{_name(record)} is {receipt.verdict} here, to the vendor {effects}")


def _things(evidence: Evidence) -> Iterator[Violation]:
    """Check that each record which makes something has made one thing, with all its parts, that is nobody else's.

    Records that make the same cannot be told apart at the vendor, but by the ids in their receipts.
    """
    receipts = {receipt.source: receipt for receipt in evidence.receipts}
    made = defaultdict[str, dict[str, Made]](dict)
    for thing in evidence.made:
        made[thing.name][thing.id] = thing
    makers = defaultdict[str, list[Record]](list)
    for record in evidence.records:
        if record.makes:
            makers[record.makes].append(record)
    for name, records in makers.items():
        things, unsure = dict(made[name]), 0
        for record in records:
            receipt = receipts.get(record.source)
            if receipt is None or receipt.verdict == "ambiguous":
                unsure += 1
            elif receipt.verdict == "delivered" or receipt.code == PARTIAL:
                thing = things.pop(receipt.made or "", NOTHING)
                if thing is NOTHING:
                    what = f"{receipt.verdict} as {receipt.made}, of {list(made[name])}"
                    yield Violation("not made", f"{_name(record)}, {name!r}, is {what}, made for no other record")
                elif (receipt.code == PARTIAL) != bool(missing := record.parts - thing.parts):
                    yield Violation("parts", f"{_name(record)} is {receipt.code}, and {thing} lacks {sorted(missing)}")
        if len(things) > unsure:
            yield Violation("made twice", f"{sorted(things)} of {name!r} are nobody's, and {unsure} have no sure fate")


def _order(evidence: Evidence) -> Iterator[Violation]:
    """Check that nothing of a key is applied after something later: a repeat may only follow what it repeats.

    There is no order between partitions: a key has several where some were added. A redriven record comes after all
    that was published since; that is what redriving means.
    """
    keys = {record.source: record.order_key for record in evidence.records}
    redriven = {record.source for record in evidence.records if record.redriven_to is not None}
    last: dict[tuple[bytes, int], Place] = {}
    for entry in evidence.ledger:
        key = keys.get(entry.source)
        if key is None:
            yield Violation("strange", f"the vendor was sent {entry.source}, where no committed record stands")
            continue
        row = (key, entry.source[0])
        if row in last and entry.source < last[row] and entry.source not in redriven:
            yield Violation("order", f"of {key!r}, {entry.source} was applied after {last[row]}")
        last[row] = max(entry.source, last.get(row, entry.source))


def _commits(evidence: Evidence) -> Iterator[Violation]:
    """Find offsets that were committed at a moment when nothing had settled them: no receipt, no retry."""
    settled_at_s: dict[Place, float] = {}
    settlements: list[Receipt | Retry] = [*evidence.receipts, *evidence.retries]
    for one in settlements:
        settled_at_s[one.source] = min(one.written_at_s, settled_at_s.get(one.source, inf))
    for sample in evidence.samples:
        for record in evidence.records:
            partition, offset = record.place
            late = settled_at_s.get(record.source, inf) > sample.at_s
            if offset < sample.committed.get(partition, 0) and late:
                yield Violation("committed", f"{_name(record)} was committed before it was settled")


def _unread(evidence: Evidence) -> Iterator[Violation]:
    places = [(record.source, (evidence.records_topic, *record.place)) for record in evidence.records]
    places += [(retry.source, retry.place) for retry in evidence.retries]
    for source, (topic, partition, offset) in places:
        if offset >= evidence.committed.get((topic, partition), 0):
            yield Violation("unread", f"{source} at {topic}/{partition}/{offset} is not committed")


def _memory(evidence: Evidence) -> Iterator[Violation]:
    if evidence.peak_rss_bytes > MAX_RSS_BYTES:
        yield Violation("memory", f"a writer held {evidence.peak_rss_bytes / 2**20:.0f} MiB")


def _name(record: Record) -> str:
    return f"{record.source} ({record.expected}, key {record.order_key!r})"
