"""The summary of a run. Only the figures about batches come from the writer."""

from collections import Counter
from collections.abc import Mapping

from aiokafka import ConsumerRecord
from rich.markup import escape
from rich.padding import Padding
from rich.table import Column, Table

from demo.environment import Environment
from demo.evidence import Evidence, Tally
from demo.screen import Screen
from demo.story import Story
from demo.upstream import NOTE
from sluice.events import Header

_SHOWN = 10
_SHOWN_BYTES = 80
_ORDER = {"delivered": 0, "skipped": 1, "dead letter": 2}
_NUMBERS = {"receipts", "vendor counts", "batches", "records", "records, least", "median", "most", "calls", "dropped"}


async def print_summary(screen: Screen, environment: Environment, story: Story, evidence: Evidence) -> bool:
    """Print everything, and return whether all counts agree."""
    screen.step("The receipts, counted in Kafka, and the vendor's own count")
    _print_receipts(screen, story.explanations, evidence)
    is_well = print_verdict(screen, evidence)
    screen.step("The way to the vendor")
    await story.print_batches(screen, environment, evidence)
    screen.step("The dead letters")
    _print_dead_letters(screen, evidence)
    return is_well


def new_table(*columns: str) -> Table:
    """Return an empty table without lines; columns with names of numbers stand to the right."""
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    for name in columns:
        is_number = name in _NUMBERS or name.isdigit()
        table.add_column(name, justify="right" if is_number else "left", no_wrap=True)
    return table


def _print_receipts(screen: Screen, explanations: Mapping[str, str], evidence: Evidence) -> None:
    screen.print(
        f"[bold]{evidence.published:,}[/] records published, [bold]{evidence.records:,}[/] in crm.records, "
        f"[bold]{len(evidence.receipts):,}[/] receipts"
    )
    screen.print()
    families = ["object"] if evidence.effects is not None else []
    table = new_table("outcome", *families, "code", "receipts", "vendor counts", "which are")
    shown: set[tuple[str, str]] = set()
    for tally, count in sorted(evidence.counts.items(), key=lambda pair: (_ORDER[pair[0].outcome], -pair[1])):
        family = [tally.family] if families else []
        explanation = explanations.get(tally.name, "")
        table.add_row(
            tally.outcome,
            *family,
            tally.code,
            f"{count:,}",
            _vendor_count(evidence, tally, shown),
            f"[dim]{explanation}[/]",
        )
    screen.print(table)
    screen.print()
    for holding in evidence.holdings:
        screen.print(
            f"asked for its {holding.name}, the vendor says it has [bold]{holding.has:,}[/] ({holding.is_expected_by})"
        )
    if evidence.ledger.repeats is not None:
        screen.print(f"records that it applied more than once: {evidence.ledger.repeats.changed_more_than_once}")


def _vendor_count(evidence: Evidence, tally: Tally, shown: set[tuple[str, str]]) -> str:
    """Return the vendor's count as text; ``shown`` are the effects that have been counted further up."""
    effect, count = evidence.effect(tally), evidence.vendor_count(tally)
    if count is None:
        return "not sent" if effect[1] else "none"
    if effect in shown:
        return "in the above"
    shown.add(effect)
    return f"{count:,}"


def _print_dead_letters(screen: Screen, evidence: Evidence) -> None:
    """Print what the careless system sent, what Sluice found, and one dead letter as it is in Kafka."""
    letters = [_texts(message) for message in evidence.dead_messages]
    others = Counter(headers.get(Header.ERROR_CODE, "") for headers in letters if NOTE not in headers)
    for headers in letters:
        code = headers.get(Header.ERROR_CODE, "")
        if NOTE in headers:
            screen.print(f"{headers[NOTE]} → [bold]{code}[/]")
        elif count := others.pop(code, 0):
            screen.print(f"{count:,} records → [bold]{code}[/]")
        else:
            continue
        screen.print(Padding(f"[dim]{escape(headers.get(Header.ERROR_MESSAGE, ''))}[/]", (0, 0, 0, 2), expand=False))
    screen.print()
    if evidence.dead_messages:
        _print_message(screen, max(evidence.dead_messages, key=_telling))


def _telling(message: ConsumerRecord) -> tuple[bool, int]:
    """Return how much ``message`` tells of dead letters, to be compared."""
    return NOTE in _texts(message), len(message.value or b"")


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
