"""The results of a run, read from Kafka, the vendor and the writer's log, and compared with each other."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import msgspec
from aiokafka import ConsumerRecord

from demo.environment import LANES, Environment
from demo.processes import DESTINATION, log_lines
from sandbox.ledger.ledger import LedgerSummary
from sluice import DeadLetter, Receipt, outcomes
from sluice.kafka.settings import KafkaSettings
from sluice.kafka.topic_reader import TopicReader
from sluice.topics import topics_of

TOPICS = topics_of(DESTINATION)
GROUP_TYPE = "airport"

Position = tuple[int, int]
"""Partition and offset in the records topic; a bad record has no other name."""


class SentBatch(msgspec.Struct):
    """One batch of the writer's log."""

    items: int
    flushed_by: str
    requests: int


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
    groups: int
    """Airports that the vendor has now."""
    batches: Sequence[SentBatch]

    @property
    def counts(self) -> Counter[tuple[str, str]]:
        """Receipts by outcome and code."""
        return Counter(
            ("dead letter", receipt.code)
            if isinstance(receipt, DeadLetter)
            else (receipt.event.outcome, receipt.event.status)
            for receipt in self.receipts
        )

    @property
    def vendor_counts(self) -> dict[str, int]:
        """The effects in the vendor's ledger."""
        return self.ledger.effects.get("group", {})

    def disagreements(self) -> list[str]:
        """Return where records, receipts, and the counts of upstream systems, Kafka and the vendor differ."""
        codes = Counter({code: count for (_, code), count in self.counts.items()})
        found = list(self.audit)
        if self.published != self.records:
            found.append(f"{self.published:,} records were published, and crm.records holds {self.records:,}")
        found += [
            f"{code}: the vendor counts {count:,}, the receipts {codes[code]:,}"
            for code, count in self.vendor_counts.items()
            if count != codes[code]
        ]
        expected = codes["CREATED"] - codes["DELETED"]
        if self.groups != expected:
            found.append(f"the vendor has {self.groups:,} airports, the receipts say {expected:,}")
        repeats = self.ledger.repeats.first if self.ledger.repeats else []
        found += [
            f"the vendor applied {repeat.identifier} {repeat.changed} times" for repeat in repeats if repeat.changed > 1
        ]
        return found


def audit(published: Mapping[Position, str], receipts: Iterable[Position | None]) -> list[str]:
    """Return how the records in the topic and the sources that receipts name differ from one receipt for each record.

    Each record has a name for people. The writer is not asked.
    """
    counts = Counter(receipts)
    names = {place: f"partition {place[0]} offset {place[1]} ({name})" for place, name in published.items()}
    return [
        *(f"no receipt: {name}" for place, name in names.items() if not counts[place]),
        *(f"more than one receipt: {name} has {counts[place]}" for place, name in names.items() if counts[place] > 1),
        *(f"a receipt of no record: {place}" for place in counts if place not in published),
    ]


async def collect(environment: Environment, log: Path, *, published: int) -> Evidence:
    """Read the results; ``published`` is the upstream systems' own count."""
    async with TopicReader(KafkaSettings(bootstrap_servers=environment.bootstrap_servers)) as reader:
        records, dead_messages = [
            [message async for messages in reader.read(topic, range(LANES)) for message in messages]
            for topic in (TOPICS.records, TOPICS.dead_letters)
        ]
    receipts = [
        receipt async for receipt in outcomes(DESTINATION, environment.config, since="beginning", until_end=True)
    ]
    names = {(record.partition, record.offset): _name(record.key) for record in records}
    groups = (await environment.vendor.state())["groups"]
    return Evidence(
        published=published,
        records=len(records),
        receipts=receipts,
        dead_messages=dead_messages,
        audit=audit(names, map(_source, receipts)),
        ledger=await environment.vendor.summary(),
        groups=groups.get(GROUP_TYPE, 0) if isinstance(groups, dict) else 0,
        batches=msgspec.convert(log_lines(log, "batch settled"), list[SentBatch]),
    )


def _source(receipt: Receipt) -> Position | None:
    """Return the position of the record of ``receipt``; ``None`` where the receipt does not say."""
    source = receipt.source if isinstance(receipt, DeadLetter) else receipt.event.source
    return None if source is None else (source.partition, source.offset)


def _name(key: bytes | None) -> str:
    return "no key" if key is None else key.decode("utf-8", "backslashreplace")
