"""The summary of a run. Only the figures about batches come from the writer."""

from aiokafka import ConsumerRecord
from rich.markup import escape
from rich.padding import Padding
from rich.table import Column, Table

from demo.evidence import Evidence
from demo.screen import Screen
from demo.upstream import NOTE
from sluice import DeadLetter
from sluice.events import Header

_SHOWN = 10
_SHOWN_BYTES = 80
_EXPLANATIONS = {
    "CREATED": "from the file",
    "MODIFIED": "corrections",
    "DELETED": "closed since",
    "UNCHANGED": "published again",
    "NOTFOUND": "unknown airports",
}
_ORDER = {"delivered": 0, "skipped": 1, "dead letter": 2}
_NUMBERS = {"receipts", "vendor counts", "batches", "records, least", "median", "most"}


def print_summary(screen: Screen, evidence: Evidence) -> bool:
    """Print everything, and return whether all counts agree."""
    screen.step("The receipts, counted in Kafka, and the vendor's own count")
    _print_receipts(screen, evidence)
    is_well = print_verdict(screen, evidence)
    screen.step("The batches")
    _print_batches(screen, evidence)
    screen.step("The dead letters")
    _print_dead_letters(screen, evidence)
    return is_well


def _print_receipts(screen: Screen, evidence: Evidence) -> None:
    screen.print(
        f"[bold]{evidence.published:,}[/] records published, [bold]{evidence.records:,}[/] in crm.records, "
        f"[bold]{len(evidence.receipts):,}[/] receipts"
    )
    screen.print()
    table = _table("outcome", "code", "receipts", "vendor counts", "which are")
    for (outcome, code), count in sorted(evidence.counts.items(), key=lambda pair: (_ORDER[pair[0][0]], -pair[1])):
        vendors = evidence.vendor_counts.get(code)
        vendors_count = "not sent" if vendors is None else f"{vendors:,}"
        table.add_row(outcome, code, f"{count:,}", vendors_count, f"[dim]{_EXPLANATIONS.get(code, '')}[/]")
    screen.print(table)
    screen.print()
    screen.print(f"asked for its airports, the vendor says it has [bold]{evidence.groups:,}[/] (created less deleted)")
    if evidence.ledger.repeats is not None:
        screen.print(f"records that it applied more than once: {evidence.ledger.repeats.changed_more_than_once}")


def _print_batches(screen: Screen, evidence: Evidence) -> None:
    table = _table("batches closed by", "batches", "records, least", "median", "most")
    for reason in sorted({batch.flushed_by for batch in evidence.batches}):
        sizes = sorted(batch.items for batch in evidence.batches if batch.flushed_by == reason)
        table.add_row(reason, f"{len(sizes)}", f"{sizes[0]:,}", f"{sizes[len(sizes) // 2]:,}", f"{sizes[-1]:,}")
    screen.print(table)
    screen.print()
    refused = sum(count for request, count in evidence.ledger.requests.items() if request.endswith(" 503"))
    again = sum(batch.requests > 1 for batch in evidence.batches)
    lost = sum(isinstance(receipt, DeadLetter) and receipt.http_status == 503 for receipt in evidence.receipts)
    screen.print(
        f"the outage: {refused} requests were answered with 503, by the vendor's count; {again} "
        f"batches were sent again until it took them; dead letters because of it: {lost}"
    )


def _print_dead_letters(screen: Screen, evidence: Evidence) -> None:
    """Print what the careless system sent, what Sluice found, and one dead letter as it is in Kafka."""
    for message in evidence.dead_messages:
        headers = _texts(message)
        screen.print(f"{headers.get(NOTE, '')} → [bold]{headers.get(Header.ERROR_CODE, '')}[/]")
        screen.print(Padding(f"[dim]{escape(headers.get(Header.ERROR_MESSAGE, ''))}[/]", (0, 0, 0, 2), expand=False))
    screen.print()
    if evidence.dead_messages:
        _print_message(screen, max(evidence.dead_messages, key=lambda message: len(message.value or b"")))


def print_verdict(screen: Screen, evidence: Evidence) -> bool:
    """Print whether everything agrees, or what does not, and return whether it does."""
    complaints = evidence.disagreements()
    if not complaints:
        screen.print("[bold green]every record has exactly one receipt, and the vendor agrees[/]")
        return True
    screen.print(f"[bold red]{len(complaints):,} things do not add up[/]")
    for complaint in complaints[:_SHOWN]:
        screen.print(escape(complaint))
    if len(complaints) > _SHOWN:
        screen.print(f"and {len(complaints) - _SHOWN:,} more")
    return False


def _print_message(screen: Screen, message: ConsumerRecord) -> None:
    screen.print(f"one of them, as it lies in {message.topic}, partition {message.partition}, offset {message.offset}:")
    table = Table.grid(Column(no_wrap=True), Column(overflow="fold"), padding=(0, 2))
    table.add_row("  key", repr(message.key))
    value = message.value or b""
    table.add_row("  value", f"{escape(repr(value[:_SHOWN_BYTES]))}… {len(value)} bytes, as they came")
    for name, text in _texts(message).items():
        table.add_row(f"  {name}", escape(text))
    screen.print(table)


def _texts(message: ConsumerRecord) -> dict[str, str]:
    return {name: (value or b"").decode("utf-8", "replace") for name, value in message.headers}


def _table(*columns: str) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    for name in columns:
        table.add_column(name, justify="right" if name in _NUMBERS else "left", no_wrap=True)
    return table
