"""``sluice vendor-jobs``: shows batches that the vendor runs later, and gives orders about them."""

import asyncio

import click
import msgspec

from sluice.cli.vendor_jobs.close import close
from sluice.cli.vendor_jobs.opening import open_jobs
from sluice.cli.vendor_jobs.orders import abort, attach, collect, forget
from sluice.cli.vendor_jobs.show import show
from sluice.cli.vendor_jobs.text import other_cells, other_json, our_cells, our_json, print_table
from sluice.destinations.contract import BatchError
from sluice.vendor_jobs.journals import read_open_jobs
from sluice.vendor_jobs.survey import Survey, survey_jobs


@click.group("vendor-jobs", commands=[abort, attach, close, collect, forget, show])
def vendor_jobs() -> None:
    """Look at batches that the vendor runs as jobs of its own, and give orders about them.

    Ours are those of which journals hold records without a receipt. They are shown with writers running or not. Orders
    about them wait for the writer that owns their records.
    """


@vendor_jobs.command()
@click.argument("destination")
@click.option("--all", "with_over", is_flag=True, help="Also jobs in the vendor's list that are over.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object a line, for each job.")
@click.pass_obj
def ls(config: str, destination: str, with_over: bool, as_json: bool) -> None:
    """List the vendor jobs of DESTINATION: ours, the oldest first, then what else the vendor has.

    State lost: its submit has no answer yet. Whose left-open: made by us, not over, and no record waits for it;
    settled: ours, and over; foreign: made by somebody else.
    """
    survey, problem = asyncio.run(_survey(config, destination, with_over))
    if as_json:
        for job in survey.ours:
            click.echo(msgspec.json.encode(our_json(job, survey.states.get(job.batch_id))))
        for other in survey.others:
            click.echo(msgspec.json.encode(other_json(other.job, other.whose)))
    elif survey.ours or survey.others:
        rows = [our_cells(job, survey.states.get(job.batch_id)) for job in survey.ours]
        print_table([*rows, *map(other_cells, survey.others)])
    elif problem is None:
        click.echo(f"no batch of {destination} is with the vendor, and its list has no job that is not over")
    if problem is not None:
        raise problem


async def _survey(config: str, destination: str, with_over: bool) -> tuple[Survey, BatchError | None]:
    """Return what can be seen, and why the vendor's part of it is missing."""
    async with open_jobs(config, destination) as (site, account):
        try:
            return await survey_jobs(site, account, with_over=with_over), None
        except BatchError as error:
            return Survey(await read_open_jobs(site), {}, []), error
