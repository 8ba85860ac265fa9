"""``sluice dead redrive``: publishes dead letters again; without ``--yes`` it only shows what it would do."""

import asyncio
import sys

import click
from aiokafka import ConsumerRecord

from sluice.cli.dead.selecting import select_letters
from sluice.cli.dead.text import print_difference, print_letters, print_tally, refs_text
from sluice.cli.exits import CommandFailed, Exit
from sluice.cli.terminal import printable
from sluice.dead_letters.editing import Edit, MapFailed, edit_fields, in_turn, map_lines, parse_path, parse_set
from sluice.dead_letters.reasons import Tally
from sluice.dead_letters.redrive import Redrive, RedriveError, RedriveProgress
from sluice.dead_letters.redrive_plan import PlannedRedrive, RedriveRules
from sluice.dead_letters.selection import Selection
from sluice.headers import refs_of

SHOWN = 5
"""Letters, and refusals, that are printed."""


@click.command()
@click.argument("destination")
@select_letters
@click.option("--set", "sets", metavar="FIELD=VALUE", multiple=True, help="Set a field of data; VALUE is JSON or text.")
@click.option("--drop", "drops", metavar="FIELD", multiple=True, help="Drop a field of data, before any field is set.")
@click.option(
    "--map",
    "command",
    metavar="COMMAND",
    help="Then map the events with a shell command: it reads JSON lines and writes as many; null skips a letter.",
)
@click.option("--rate", type=click.FloatRange(min=0, min_open=True), metavar="N", help="At most N letters a second.")
@click.option(
    "--max-redrives",
    type=click.IntRange(min=1),
    metavar="N",
    default=3,
    show_default=True,
    help="Leave letters whose record was redriven N times or more.",
)
@click.option("--fresh", is_flag=True, help="Make anew what was half made; the half stays at the vendor.")
@click.option("--force", is_flag=True, help="Without an edit: also send bytes that are no record event, as they are.")
@click.option("--yes", is_flag=True, help="Send the letters; without this nothing is sent.")
@click.pass_obj
def redrive(
    config: str,
    destination: str,
    selection: Selection,
    sets: tuple[str, ...],
    drops: tuple[str, ...],
    command: str | None,
    rate: float | None,
    max_redrives: int,
    fresh: bool,
    force: bool,
    yes: bool,
) -> None:
    r"""Publish dead letters of DESTINATION again, to the partition that they came from.

    Each letter is redriven once: run an interrupted command again to resume it. A record that was half made at the
    vendor is continued, not made again. A FIELD may be nested, as
    address.city; \. is a dot in its name. The command of --map is started once for each 1,000 letters or fewer.

    A redriven record is applied after everything that was published since: an old change can undo a newer one of its
    key.
    """
    edit = _edit(sets, drops, command)
    if force and edit is not None:
        raise click.UsageError("--force sends bytes as they are: leave --set, --drop and --map out")
    run = Redrive(destination, config, selection, RedriveRules(edit, max_redrives, fresh, force))
    try:
        asyncio.run(_send(run, rate) if yes else _print_plan(run, edited=edit is not None))
    except MapFailed as error:
        raise CommandFailed(str(error), Exit.SOME_FAILED if yes and run.progress.sent else Exit.USAGE) from error
    except RedriveError as error:
        raise CommandFailed(str(error), Exit.KAFKA) from error
    finally:
        if yes and run.progress.selected:
            _overwrite_line("")
            _print_progress(run.progress, max_redrives)
            click.echo(f"{run.progress.sent:,} dead letters of {destination} were redriven")
    if not run.progress.selected:
        click.echo(f"no dead letter of {destination} is selected; nothing was sent")
    elif not yes:
        _print_progress(run.progress, max_redrives)
        click.echo(
            f"{run.progress.sent:,} dead letters of {destination} would be redriven; nothing was sent: --yes sends them"
        )
    if run.progress.refused:
        raise click.exceptions.Exit(Exit.SOME_FAILED)


def _edit(sets: tuple[str, ...], drops: tuple[str, ...], command: str | None) -> Edit | None:
    edits: list[Edit] = []
    try:
        if sets or drops:
            edits.append(edit_fields(sets=[*map(parse_set, sets)], drops=[*map(parse_path, drops)]))
    except ValueError as error:
        raise click.UsageError(str(error)) from error
    if command is not None:
        edits.append(map_lines(command))
    return in_turn(edits) if edits else None


async def _send(run: Redrive, rate: float | None) -> None:
    async for _ in run.run(rate=rate):
        _overwrite_line(f"{run.progress.sent:,} redriven")


async def _print_plan(run: Redrive, *, edited: bool) -> None:
    tally = Tally()
    shown: list[PlannedRedrive] = []
    left_behind: list[ConsumerRecord] = []
    async for plan in run.plan():
        tally.add([planned.letter for planned in plan.to_send])
        shown += plan.to_send[: SHOWN - len(shown)]
        left_behind += plan.left_behind[: SHOWN - len(left_behind)]
    if not tally.letters:
        return
    print_tally(tally)
    click.echo(f"\nthe first {len(shown)}:")
    if edited:
        for planned in shown:
            print_difference(planned)
    else:
        print_letters([planned.letter for planned in shown])
    if left_behind:
        click.echo(f"\nof {run.progress.left_behind:,} something stays at the vendor, such as:")
        for letter in left_behind:
            click.echo(f"  {letter.partition}/{letter.offset}: {refs_text(refs_of(letter.headers))}")
    click.echo()


def _overwrite_line(text: str) -> None:
    if sys.stderr.isatty():
        click.echo(f"\r{text}", nl=False, err=True)


def _print_progress(progress: RedriveProgress, max_redrives: int) -> None:
    if progress.already_redriven:
        click.echo(f"{progress.already_redriven:,} left: they were redriven before")
    if progress.too_often:
        click.echo(f"{progress.too_often:,} left: redriven {max_redrives} times or more; --max-redrives allows more")
    if progress.left_alone:
        click.echo(f"{progress.left_alone:,} left alone by the command")
    if progress.refused:
        click.echo(f"{progress.refused:,} cannot be redriven:")
        for refusal in progress.refusals[:SHOWN]:
            click.echo(f"  {printable(str(refusal))}")
