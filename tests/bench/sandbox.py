"""``python -m tests.bench.sandbox``: the figures of every sandbox beside their budgets, as one table.

A benchmark, not a test: it says what was measured and judges nothing. Each sandbox is measured by itself, in a process
and on a core of its own. Bodies are made beforehand, so that the client costs little.
"""

import click
from rich.console import Console
from rich.table import Table

from tests.bench import (
    sandbox_bloom_growth,
    sandbox_blueconic,
    sandbox_liquid_decisions,
    sandbox_salesforce,
    sandbox_salesforce_bulk1,
)

BENCHES = {
    "blueconic": sandbox_blueconic.figures,
    "bloom-growth": sandbox_bloom_growth.figures,
    "liquid-decisions": sandbox_liquid_decisions.figures,
    "salesforce": sandbox_salesforce.figures,
    "salesforce, Bulk API 1.0": sandbox_salesforce_bulk1.figures,
}
FILE_WIDTH = 140
"""Characters of a line where there is no terminal."""


@click.command()
@click.argument("names", nargs=-1, type=click.Choice(list(BENCHES)))
def main(names: tuple[str, ...]) -> None:
    """Measure the sandboxes named, or all."""
    table = Table("sandbox", "figure")
    table.add_column("measured", justify="right")
    table.add_column("budget", justify="right")
    for name in names or BENCHES:
        for number, row in enumerate(BENCHES[name]()):
            table.add_row("" if number else name, *row)
        table.add_section()
    console = Console()
    if not console.is_terminal:
        console.width = FILE_WIDTH
    console.print(table)


if __name__ == "__main__":
    main()
