"""The results of a run, read from Kafka, the vendor and the writer's log."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from demo.audit import Audit, audit, read_topic, source_of
from demo.environment import LANES, Environment
from demo.processes import DESTINATION, log_lines
from sandbox.ledger.ledger import LedgerSummary
from sluice import DeadLetter, Receipt, Succeeded, outcomes
from sluice.topics import topics_of

TOPICS = topics_of(DESTINATION)
GROUP_TYPE = "airport"


class SentBatch(NamedTuple):
    """One batch of the writer's log."""

    records: int
    flushed_by: str
    requests: int


class Evidence(NamedTuple):
    """Records, receipts, and the vendor's own counts."""

    published: int
    """Records that the upstream systems published, by their own count."""
    records: int
    """Records in the topic."""
    receipts: Sequence[Receipt]
    dead_messages: Sequence[Any]
    """The dead letters as Kafka messages."""
    audit: Audit
    ledger: LedgerSummary
    groups: int
    """Airports that the vendor has now."""
    batches: Sequence[SentBatch]

    @property
    def counts(self) -> Counter[tuple[str, str]]:
        """Receipts by outcome and code."""
        return Counter(_outcome(receipt) for receipt in self.receipts)

    @property
    def vendor_counts(self) -> dict[str, int]:
        """The effects in the vendor's ledger."""
        return self.ledger.effects.get("group", {})

    @property
    def refused_requests(self) -> int:
        """Requests that the vendor answered with 503, by its own count."""
        return sum(count for request, count in self.ledger.requests.items() if request.endswith(" 503"))

    @property
    def lost_to_the_outage(self) -> int:
        """Dead letters with the status 503."""
        return sum(isinstance(receipt, DeadLetter) and receipt.http_status == 503 for receipt in self.receipts)

    def disagreements(self) -> list[str]:
        """Return where the counts of upstream systems, Kafka and the vendor differ; empty where all agree."""
        codes = Counter({code: count for (_, code), count in self.counts.items()})
        found = []
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
        if repeats := self.ledger.repeats:
            found += [
                f"the vendor applied {repeat.identifier} {repeat.changed} times"
                for repeat in repeats.first
                if repeat.changed > 1
            ]
        return found


async def collect(environment: Environment, log: Path, *, published: int) -> Evidence:
    """Read the results; ``published`` is the upstream systems' own count."""
    records = await read_topic(environment.bootstrap_servers, TOPICS.records, LANES)
    receipts = [
        receipt async for receipt in outcomes(DESTINATION, environment.config, since="beginning", until_end=True)
    ]
    state = await environment.vendor.state()
    groups = state["groups"]
    return Evidence(
        published=published,
        records=len(records),
        receipts=receipts,
        dead_messages=await read_topic(environment.bootstrap_servers, TOPICS.dead_letters, LANES),
        audit=audit(
            {(record.partition, record.offset): _name(record.key) for record in records}, map(source_of, receipts)
        ),
        ledger=await environment.vendor.summary(),
        groups=groups.get(GROUP_TYPE, 0) if isinstance(groups, dict) else 0,
        batches=[
            SentBatch(int(str(line["items"])), str(line["flushed_by"]), int(str(line["requests"])))
            for line in log_lines(log, "batch settled")
        ],
    )


def _outcome(receipt: Receipt) -> tuple[str, str]:
    match receipt:
        case Succeeded(event=event):
            return event.outcome, event.status
        case DeadLetter(code=code):
            return "dead letter", code


def _name(key: bytes | None) -> str:
    return "no key" if key is None else key.decode("utf-8", "backslashreplace")
