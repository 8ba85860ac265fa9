"""`python -m tests.bench.sandbox`: the figures of every sandbox beside their budgets, as one table.

A benchmark, not a test: it says what was measured and judges nothing. Each sandbox is measured by itself.
"""

import click

from tests.bench import (
    sandbox_bloom_growth,
    sandbox_blueconic,
    sandbox_liquid_decisions,
    sandbox_salesforce,
    sandbox_salesforce_bulk1,
)
from tests.bench.figures import show_figures

BENCHES = {
    "blueconic": sandbox_blueconic.figures,
    "bloom-growth": sandbox_bloom_growth.figures,
    "liquid-decisions": sandbox_liquid_decisions.figures,
    "salesforce": sandbox_salesforce.figures,
    "salesforce, Bulk API 1.0": sandbox_salesforce_bulk1.figures,
}
"""A row each: the vendor's name, and what measures its sandbox."""


@click.command()
@click.argument("names", nargs=-1, type=click.Choice(list(BENCHES)))
def main(names: tuple[str, ...]) -> None:
    """Measure the sandboxes named, or all."""
    show_figures({name: BENCHES[name]() for name in names or BENCHES})


if __name__ == "__main__":
    main()
