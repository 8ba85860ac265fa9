"""The summary that a newcomer can check: every figure is asked of another witness than the writer."""

from collections.abc import Mapping
from typing import Any, Literal

from rich.markup import escape
from rich.padding import Padding
from rich.table import Table

from demo.bad_records import NOTE
from demo.evidence import Evidence
from demo.screen import Screen
from sluice.events import Header

_SHOWN = 10
_SHOWN_BYTES = 80


def tell_receipts(screen: Screen, evidence: Evidence) -> None:
    """Records, receipts by code, and the vendor's own count beside them."""
    counts = [
        f"[bold]{evidence.published:,}[/] records published",
        f"[bold]{evidence.records:,}[/] in crm.records",
        f"[bold]{len(evidence.receipts):,}[/] receipts",
    ]
    screen.tell(", ".join(counts))
    screen.gap()
    table = _table("outcome", "code", "receipts", "vendor counts", "which are")
    for (verdict, code), count in sorted(evidence.counts.items(), key=lambda pair: (_ORDER[pair[0][0]], -pair[1])):
        vendors = evidence.vendor_counts.get(code)
        vendors_count = "not sent" if vendors is None else f"{vendors:,}"
        table.add_row(verdict, code, f"{count:,}", vendors_count, f"[dim]{_EXPLANATIONS.get(code, '')}[/]")
    screen.show(table)
    screen.gap()
    screen.tell(f"asked for its airports, the vendor says it has [bold]{evidence.groups:,}[/] (created less deleted)")
    if evidence.ledger.repeats is not None:
        screen.tell(f"records that it applied more than once: {evidence.ledger.repeats.changed_more_than_once}")


def tell_batches(screen: Screen, evidence: Evidence) -> None:
    """How many batches there were, how large, and which of them met the outage."""
    table = _table("batches closed by", "batches", "records, least", "median", "most")
    for reason in sorted({batch.flushed_by for batch in evidence.batches}):
        sizes = sorted(batch.records for batch in evidence.batches if batch.flushed_by == reason)
        table.add_row(reason, f"{len(sizes)}", f"{sizes[0]:,}", f"{sizes[len(sizes) // 2]:,}", f"{sizes[-1]:,}")
    screen.show(table)
    screen.gap()
    again = sum(batch.requests > 1 for batch in evidence.batches)
    screen.tell(
        f"the outage: {evidence.refused_requests} requests were answered with 503, by the vendor's count; {again} "
        f"batches were sent again until it took them; dead letters because of it: {evidence.lost_to_the_outage}"
    )


def tell_dead_letters(screen: Screen, evidence: Evidence) -> None:
    """What the careless system sent, what Sluice found, and one dead letter as it lies in Kafka."""
    for message in evidence.dead_messages:
        headers = _texts(message)
        screen.tell(f"{headers.get(NOTE, '')} → [bold]{headers.get(Header.ERROR_CODE, '')}[/]")
        screen.show(Padding(f"[dim]{escape(headers.get(Header.ERROR_MESSAGE, ''))}[/]", (0, 0, 0, 2), expand=False))
    screen.gap()
    if evidence.dead_messages:
        _tell_message(screen, max(evidence.dead_messages, key=lambda message: len(message.value or b"")))


def tell_verdict(screen: Screen, evidence: Evidence) -> bool:
    """Whether all is well; else what is not."""
    audit = evidence.audit
    complaints = [
        *(f"no receipt: {record}" for record in audit.missing),
        *(f"more than one receipt: {record}" for record in audit.double),
        *(f"a receipt of no record: {place}" for place in audit.strange),
        *evidence.disagreements(),
    ]
    if not complaints:
        screen.tell("[bold green]every record has exactly one receipt, and the vendor agrees[/]")
        return True
    screen.tell(f"[bold red]{len(complaints):,} things do not add up[/]")
    for complaint in complaints[:_SHOWN]:
        screen.tell(escape(complaint))
    if len(complaints) > _SHOWN:
        screen.tell(f"and {len(complaints) - _SHOWN:,} more")
    return False


_EXPLANATIONS = {
    "CREATED": "from the file",
    "MODIFIED": "corrections",
    "DELETED": "closed since",
    "UNCHANGED": "published again",
    "NOTFOUND": "unknown airports",
}
_ORDER = {"delivered": 0, "skipped": 1, "dead letter": 2}


def _tell_message(screen: Screen, message: Any) -> None:
    screen.tell(f"one of them, as it lies in {message.topic}, partition {message.partition}, offset {message.offset}:")
    table = Table.grid(padding=(0, 2))
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    table.add_row("  key", repr(message.key))
    value = message.value or b""
    table.add_row("  value", f"{escape(repr(value[:_SHOWN_BYTES]))}… {len(value)} bytes, as they came")
    for name, text in _texts(message).items():
        table.add_row(f"  {name}", escape(text))
    screen.show(table)


def _texts(message: Any) -> Mapping[str, str]:
    return {name: (value or b"").decode("utf-8", "replace") for name, value in message.headers}


def _table(*columns: str) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    for name in columns:
        justify: Literal["left", "right"] = "right" if name in _NUMBERS else "left"
        table.add_column(name, justify=justify, no_wrap=True)
    return table


_NUMBERS = {"receipts", "vendor counts", "batches", "records, least", "median", "most"}
