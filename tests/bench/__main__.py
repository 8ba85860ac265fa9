"""``python -m tests.bench``: the budgets of docs/architecture.md, measured against a real Kafka and the sandbox.

A benchmark, not a test: it says which budgets are met, and exits with 1 only if a record lacks its receipt.
"""

import asyncio
import logging
import sys
from pathlib import Path

import click
import msgspec
from rich.console import Console

from tests.bench.cases import CASES, Bench, Plan
from tests.bench.report import show
from tests.bench.stage import kafka


@click.command()
@click.option("--records", default=1_000_000, show_default=True, help="Records of each run.")
@click.option("--alternations", default=3, show_default=True, help="Runs of writer and reference loop in turn.")
@click.option("--cases", default=",".join(CASES), show_default=True, help="Which to run, separated by commas.")
@click.option("--latency-seconds", default=30.0, show_default=True, help="How long the latency case publishes.")
@click.option("--outage-seconds", default=60.0, show_default=True, help="How long the vendor is down in that case.")
@click.option("--ten-million", is_flag=True, help="Let the flat case go on to ten times the records.")
@click.option("--python", default=sys.executable, help="The interpreter of all processes; this one if left out.")
@click.option("--json", "json_file", type=click.Path(dir_okay=False, path_type=Path), help="Write the figures here.")
def main(
    *,
    records: int,
    alternations: int,
    cases: str,
    latency_seconds: float,
    outage_seconds: float,
    ten_million: bool,
    python: str,
    json_file: Path | None,
) -> None:
    """Measure the writer beside a bare loop that does the same work without its promises."""
    chosen = cases.split(",")
    if unknown := set(chosen) - set(CASES):
        raise click.BadParameter(f"no case {', '.join(sorted(unknown))}; there are {', '.join(CASES)}")
    plan = Plan(
        records=records,
        alternations=alternations,
        cases=chosen,
        latency_seconds=latency_seconds,
        outage_seconds=outage_seconds,
        ten_million=ten_million,
        python=python,
    )
    logging.getLogger("aiokafka").setLevel(logging.ERROR)  # a new topic has no leader at first, and it says so
    console = Console()
    with kafka() as bootstrap_servers:
        report = asyncio.run(Bench(bootstrap_servers, plan, Console(stderr=True).print).run())
    show(report, console)
    if json_file is not None:
        json_file.write_bytes(msgspec.json.format(msgspec.json.encode(report)) + b"\n")
    sys.exit(0 if report.complete else 1)


if __name__ == "__main__":
    main()
