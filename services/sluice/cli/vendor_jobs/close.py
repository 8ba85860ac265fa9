"""``sluice vendor-jobs close``: has the vendor release what a process has left open that was killed."""

import asyncio
from collections.abc import Sequence
from datetime import timedelta

import click
import msgspec

from sluice.cli.exits import CommandFailed, Exit
from sluice.cli.terminal import counted, printable
from sluice.cli.vendor_jobs.opening import Opened, find_ours, open_jobs, unknown_job
from sluice.cli.vendor_jobs.text import names, other_cells, other_json, print_table
from sluice.destinations.contract import BatchError
from sluice.vendor_jobs.survey import OtherJob, Survey, survey_jobs
from sluice.wall_clock import utc_now

MIN_AGE = timedelta(minutes=10)
"""A younger job that no journal names may belong to a submit that is under way."""


@click.command()
@click.argument("destination")
@click.argument("job", metavar="[JOB_ID]", required=False)
@click.option("--made-by", metavar="USER", help="Take all that this user of the vendor's has made for ours.")
@click.option("--yes", is_flag=True, help="Close them; without this nothing is changed.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object a line, for each job.")
@click.pass_obj
def close(config: str, destination: str, job: str | None, made_by: str | None, yes: bool, as_json: bool) -> None:
    """Close JOB_ID at the vendor of DESTINATION, or all jobs that were left open by us.

    Left open is what the vendor's list has as not over, was made by us, and has no record that waits for it. Made by us
    is what a journal names, and what was made by the same user of the vendor's as such a job: look at the list before
    you say --yes, if other programs use that user.
    """
    if not asyncio.run(_close(config, destination, job, made_by, yes, as_json)):
        raise click.exceptions.Exit(Exit.SOME_FAILED)


async def _close(
    config: str, destination: str, word: str | None, made_by: str | None, yes: bool, as_json: bool
) -> bool:
    async with open_jobs(config, destination) as opened:
        survey = await survey_jobs(opened.site, opened.account, with_over=True)
        chosen = _left_open(survey, made_by) if word is None else [_named(survey, destination, word)]
        if not chosen:
            if not as_json:
                click.echo(f"nothing of {destination} is left open at the vendor")
            return True
        if not as_json:
            print_table([other_cells(other) for other in chosen])
            if not yes:
                click.echo(f"{counted(len(chosen), 'job')} would be closed; nothing was changed: --yes closes them")
        if not yes:
            for other in chosen if as_json else ():
                click.echo(msgspec.json.encode({"closed": False, **other_json(other.job, other.whose)}))
            return True
        return await _close_all(opened, destination, chosen, as_json)


def _left_open(survey: Survey, made_by: str | None) -> list[OtherJob]:
    oldest_open = utc_now() - MIN_AGE
    return [
        other
        for other in survey.others
        if not other.job.over
        and (other.whose == "left-open" or (made_by is not None and other.job.created_by == made_by))
        and (other.is_named or other.job.created_at is None or other.job.created_at < oldest_open)
    ]


def _named(survey: Survey, destination: str, word: str) -> OtherJob:
    if (ours := find_ours(survey.ours, word)) is not None:
        raise CommandFailed(
            f"{counted(ours.open, 'record')} of batch {ours.batch_id} wait for that job; collect it, or abort it",
            Exit.USAGE,
        )
    for other in survey.others:
        if word in other.job.refs.values():
            return other
    raise unknown_job(destination, word, survey.ours)


async def _close_all(opened: Opened, destination: str, chosen: Sequence[OtherJob], as_json: bool) -> bool:
    problems: dict[int, str] = {}
    for number, other in enumerate(chosen):
        try:
            await opened.account.close(other.job.refs)
        except BatchError as error:
            problems[number] = str(error)
    words = {frozenset(job.refs.items()): job.word async for job in opened.account.jobs() if not job.over}
    for number, (job, whose, _) in enumerate(chosen):
        if number not in problems and not job.over and words.get(frozenset(job.refs.items())) == job.word:
            problems[number] = (
                f"the vendor still says {job.word}; if nothing may come of it, "
                f"`sluice vendor-jobs abort {destination}` with its id ends it"
            )
        if as_json:
            line = {"closed": number not in problems, "problem": problems.get(number), **other_json(job, whose)}
            click.echo(msgspec.json.encode(line))
        elif number in problems:
            click.echo(printable(f"{names(job.refs)} was not closed: {problems[number]}"), err=True)
    if not as_json:
        click.echo(f"{counted(len(chosen) - len(problems), 'job')} closed")
    return not problems
