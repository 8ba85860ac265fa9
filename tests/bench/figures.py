"""Figures of several benchmarks as one table."""

from collections.abc import Iterable, Mapping

from rich.console import Console
from rich.table import Table

FILE_WIDTH = 140
"""Characters of a line where nobody's terminal says how many there are."""

Rows = list[tuple[str, str, str]]
"""What, measured, budget."""


def show_figures(found: Mapping[str, Iterable[tuple[str, str, str]]], console: Console | None = None) -> None:
    """Prints a section for each name."""
    table = Table()
    table.add_column("sandbox")
    table.add_column("figure")
    table.add_column("measured", justify="right")
    table.add_column("budget", justify="right")
    for name, rows in found.items():
        shown = name
        for what, measured, budget in rows:
            table.add_row(shown, what, measured, budget)
            shown = ""
        table.add_section()
    console = console or Console()
    if not console.is_terminal:
        console.width = FILE_WIDTH
    console.print(table)
