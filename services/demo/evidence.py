"""The results of a run, read from Kafka, the vendor and the writer's log, and compared with each other."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import msgspec
from aiokafka import ConsumerRecord

from demo.environment import LANES, Environment
from demo.processes import DESTINATION
from sandbox.ledger.ledger import LedgerEntry, LedgerSummary
from sluice import DeadLetter, Receipt, outcomes
from sluice.events import Header
from sluice.kafka.settings import KafkaSettings
from sluice.kafka.topic_reader import TopicReader
from sluice.topics import topics_of

TOPICS = topics_of(DESTINATION)

Position = tuple[int, int]
"""Partition and offset in the records topic; a bad record has no other name."""


class Tally(NamedTuple):
    """The name that receipts are counted by. ``family`` is the vendor's object; empty where one is enough."""

    family: str
    outcome: str
    code: str

    @property
    def name(self) -> str:
        """The code, with the family if there is one."""
        return " ".join(filter(None, (self.family, self.code)))


class Effects(NamedTuple):
    """The part of the vendor's ledger that is compared with the receipts, by object."""

    by_code: Mapping[str, str | None]
    """The effects by the codes of receipts, where they differ. ``None`` for what the vendor has not done."""
    is_compared: Callable[[str, str], bool] = lambda _family, _effect: True
    """Tells of an object and an effect whether each has a receipt of its own: a part of a record has none."""
    recount: Callable[[Sequence[LedgerEntry]], dict[str, dict[str, int]]] | None = None
    """Counts effects by object, where the ledger's own summary does not tell objects apart."""


class Holding(NamedTuple):
    """Records that the vendor has now, and how many it should have by the receipts."""

    name: str
    has: int
    expected: int
    is_expected_by: str = "created less deleted"


class Evidence(NamedTuple):
    """Records, receipts, and the vendor's own counts."""

    published: int
    """Records that the upstream systems published, by their own count."""
    records: int
    """Records in the topic."""
    receipts: Sequence[Receipt]
    dead_messages: Sequence[ConsumerRecord]
    """The dead letters as Kafka messages."""
    audit: Sequence[str]
    """Records and receipts that do not match."""
    ledger: LedgerSummary
    effects: Effects | None
    """As a story has them."""
    logs: Sequence[Path]
    """The logs of all writers."""
    holdings: Sequence[Holding] = ()

    @property
    def counts(self) -> Counter[Tally]:
        """Receipts by outcome and code."""
        return Counter(map(self._tally, self.receipts))

    @property
    def vendor_counts(self) -> dict[tuple[str, str], int]:
        """The effects in the vendor's ledger, by family and effect."""
        by_family = self.effects is not None
        counts: Counter[tuple[str, str]] = Counter()
        for family, effects in self.ledger.effects.items():
            for effect, count in effects.items():
                if self.effects is None or self.effects.is_compared(family, effect):
                    counts[family if by_family else "", effect] += count
        return dict(counts)

    def vendor_count(self, tally: Tally) -> int | None:
        """Return the vendor's count of what ``tally`` counts; ``None`` for what was never sent."""
        return self.vendor_counts.get(self.effect(tally))

    def disagreements(self) -> list[str]:
        """Return where records, receipts, and the counts of upstream systems, Kafka and the vendor differ."""
        found = list(self.audit)
        if self.published != self.records:
            found.append(f"{self.published:,} records were published, and crm.records holds {self.records:,}")
        receipts: Counter[tuple[str, str]] = Counter()
        for tally, count in self.counts.items():
            receipts[self.effect(tally)] += count
        found += [
            f"{' '.join(filter(None, effect))}: the vendor counts {count:,}, the receipts {receipts[effect]:,}"
            for effect, count in self.vendor_counts.items()
            if count != receipts[effect]
        ]
        found += [
            f"the vendor has {holding.has:,} {holding.name}, the receipts say {holding.expected:,}"
            for holding in self.holdings
            if holding.has != holding.expected
        ]
        repeats = self.ledger.repeats.first if self.ledger.repeats else []
        found += [
            f"the vendor applied {repeat.identifier} {repeat.changed} times" for repeat in repeats if repeat.changed > 1
        ]
        return found

    def _tally(self, receipt: Receipt) -> Tally:
        object_ = receipt.event.object if receipt.event is not None and self.effects is not None else ""
        family = object_.partition("/")[0]
        if isinstance(receipt, DeadLetter):
            return Tally(family, "dead letter", receipt.code)
        return Tally(family, receipt.event.outcome, receipt.event.status)

    def effect(self, tally: Tally) -> tuple[str, str]:
        """Return the family and the effect that what ``tally`` counts has in the ledger; empty for a refusal."""
        effect = tally.code if self.effects is None else self.effects.by_code.get(tally.code, tally.code)
        return tally.family, effect or ""


def audit(
    published: Mapping[Position, str], receipts: Iterable[Position | None], redriven: Iterable[Position] = ()
) -> list[str]:
    """Return how the records in the topic and the sources that receipts name differ from one receipt for each record.

    Each record has a name for people. A redriven one has a receipt more. The writer is not asked.
    """
    counts = Counter(receipts)
    counts.subtract(redriven)
    names = {place: f"partition {place[0]} offset {place[1]} ({name})" for place, name in published.items()}
    return [
        *(f"no receipt: {name}" for place, name in names.items() if counts[place] < 1),
        *(f"more than one receipt: {name} has {counts[place]}" for place, name in names.items() if counts[place] > 1),
        *(f"a receipt of no record: {place}" for place in counts if place not in published),
    ]


async def collect(
    environment: Environment, effects: Effects | None, *, published: int, logs: Sequence[Path]
) -> Evidence:
    """Read the results; ``published`` is the upstream systems' own count."""
    async with TopicReader(KafkaSettings(bootstrap_servers=environment.bootstrap_servers)) as reader:
        records, dead_messages = [
            [message async for messages in reader.read(topic, range(LANES)) for message in messages]
            for topic in (TOPICS.records, TOPICS.dead_letters)
        ]
    receipts = [
        receipt async for receipt in outcomes(DESTINATION, environment.config, since="beginning", until_end=True)
    ]
    sources = {(record.partition, record.offset): _redriven_from(record) for record in records}
    names = {(record.partition, record.offset): _name(record.key) for record in records}
    redriven = [source for source in sources.values() if source is not None]
    return Evidence(
        published=published,
        records=len(records),
        receipts=receipts,
        dead_messages=dead_messages,
        audit=audit(
            {place: name for place, name in names.items() if sources[place] is None}, map(_source, receipts), redriven
        ),
        ledger=await _ledger(environment, effects),
        effects=effects,
        logs=logs,
    )


async def _ledger(environment: Environment, effects: Effects | None) -> LedgerSummary:
    summary = await environment.vendor.summary()
    if effects is None or effects.recount is None:
        return summary
    return msgspec.structs.replace(summary, effects=effects.recount(await environment.vendor.ledger()))


def _source(receipt: Receipt) -> Position | None:
    """Return the position of the record of ``receipt``; ``None`` where the receipt does not say."""
    source = receipt.source if isinstance(receipt, DeadLetter) else receipt.event.source
    return None if source is None else (source.partition, source.offset)


def _redriven_from(record: ConsumerRecord) -> Position | None:
    """Return the position at which ``record`` was published first; ``None`` for one that is no redrive."""
    headers = dict(record.headers)
    if Header.REDRIVE_COUNT not in headers:
        return None
    return int(headers[Header.SOURCE_PARTITION]), int(headers[Header.SOURCE_OFFSET])


def _name(key: bytes | None) -> str:
    return "no key" if key is None else key.decode("utf-8", "backslashreplace")
