"""``sluice outcomes``: prints receipts in a terminal."""

import asyncio
import sys

import click

from sluice.cli.receipt_text import HEADING, receipt_json, receipt_line
from sluice.cli.since import parse_since
from sluice.client.connection import connect
from sluice.client.outcomes import Outcomes
from sluice.client.outcomes import outcomes as open_outcomes
from sluice.kafka.topic_reader import Since
from sluice.telemetry.tracing import start_tracing


@click.group()
def outcomes() -> None:
    """Read the receipts of a destination."""


@outcomes.command()
@click.argument("destination")
@click.option("--failed", is_flag=True, help="Only dead letters.")
@click.option("--job", "job_id", metavar="ID", help="Only receipts of one job, from the beginning.")
@click.option(
    "--since",
    type=parse_since,
    metavar="WHEN",
    help="Begin 30s, 10m, 2h or 7d ago, at an instant, at the beginning, or now.  [default: now; with --job beginning]",
)
@click.option("--until-end", is_flag=True, help="Stop after the receipts that are there now; do not wait for more.")
@click.option("--limit", type=click.IntRange(min=1), metavar="N", help="Stop after N receipts.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object a line, with every field.")
@click.pass_obj
def tail(
    config: str,
    destination: str,
    failed: bool,
    job_id: str | None,
    since: Since | None,
    until_end: bool,
    limit: int | None,
    as_json: bool,
) -> None:
    """Print the receipts of DESTINATION as they come, until interrupted."""
    connection = connect(config)
    stream = open_outcomes(
        destination, connection, job_id=job_id, since=since, until_end=until_end, only="failed" if failed else None
    )
    stop_tracing = start_tracing(connection.tracing, "sluice-outcomes")
    try:
        asyncio.run(_print(stream, as_json, limit))
    finally:
        stop_tracing()


async def _print(stream: Outcomes, as_json: bool, limit: int | None) -> None:
    terminal = sys.stdout.isatty()
    if terminal and not as_json:
        click.secho(HEADING, dim=True)
    count = 0
    async with stream:
        async for receipt in stream:
            click.echo(receipt_json(receipt) if as_json else receipt_line(receipt, terminal=terminal))
            count += 1
            if count == limit:
                return
