"""``sluice dead redrive``: publishes dead letters again; without ``--yes`` it only shows what it would do."""

import asyncio
import sys

import click

from sluice.cli.dead.selecting import selecting, selection
from sluice.cli.dead.text import printable, say_difference, say_letters, say_tally
from sluice.cli.exits import CommandFailed, Exit
from sluice.client.connection import connect
from sluice.dead_letters.editing import Edit, MapFailed, edit_fields, in_turn, map_lines, parse_path, parse_set
from sluice.dead_letters.reasons import Tally
from sluice.dead_letters.redrive import Redrive, RedriveError, RedriveProgress
from sluice.dead_letters.redrive_plan import PlannedRedrive, RedriveRules

SHOWN = 5
"""Letters, and refusals, that are shown."""


@click.command()
@click.argument("destination")
@selecting
@click.option("--set", "sets", metavar="FIELD=VALUE", multiple=True, help="Set a field of data; VALUE is JSON or text.")
@click.option("--drop", "drops", metavar="FIELD", multiple=True, help="Drop a field of data, before any is set.")
@click.option(
    "--map",
    "command",
    metavar="COMMAND",
    help="Then have a shell command map the events: JSON lines in, as many out, null to leave one alone.",
)
@click.option("--rate", type=click.FloatRange(min=0, min_open=True), metavar="N", help="At most N letters a second.")
@click.option(
    "--max-redrives",
    type=click.IntRange(min=1),
    metavar="N",
    default=3,
    show_default=True,
    help="Leave letters whose record was redriven so often.",
)
@click.option("--force", is_flag=True, help="Without an edit: send bytes that are no record event, too, as they are.")
@click.option("--yes", is_flag=True, help="Do it; without this nothing is sent.")
@click.pass_context
def redrive(
    ctx: click.Context,
    destination: str,
    sets: tuple[str, ...],
    drops: tuple[str, ...],
    command: str | None,
    rate: float | None,
    max_redrives: int,
    force: bool,
    yes: bool,
) -> None:
    r"""Publish dead letters of DESTINATION again, to the lane that they came from.

    Each letter is redriven once: interrupted, run the same command again. A FIELD may be nested, as address.city; \.
    is a dot in its name. The command of --map is started anew for each 1,000 letters or fewer.

    A redriven record is applied after all that was published since: an old change can undo a newer one of its key.
    """
    edit = _edit(sets, drops, command)
    if force and edit is not None:
        raise click.UsageError("--force sends bytes as they are: leave --set, --drop and --map out")
    rules = RedriveRules(edit, max_redrives, force)
    run = Redrive(destination, connect(ctx.obj), selection(ctx), rules)
    try:
        asyncio.run(_redrive(run, rate) if yes else _show_plan(run, rules))
    except MapFailed as error:
        raise CommandFailed(str(error), Exit.SOME_FAILED if yes and run.progress.sent else Exit.USAGE) from error
    except RedriveError as error:
        raise CommandFailed(str(error), Exit.KAFKA) from error
    finally:
        result = run.progress
        if yes and result.selected:
            _say_result(result, rules)
            click.echo(f"{result.sent:,} dead letters of {destination} were redriven")
    if not result.selected:
        click.echo(f"no dead letter of {destination} is selected; nothing was sent")
    elif not yes:
        _say_result(result, rules)
        click.echo(f"{result.sent:,} dead letters of {destination} would be redriven; nothing was sent: --yes does it")
    if result.refused:
        raise click.exceptions.Exit(Exit.SOME_FAILED)


def _edit(sets: tuple[str, ...], drops: tuple[str, ...], command: str | None) -> Edit | None:
    edits: list[Edit] = []
    try:
        if sets or drops:
            edits.append(
                edit_fields(sets=[parse_set(text) for text in sets], drops=[parse_path(text) for text in drops])
            )
    except ValueError as error:
        raise click.UsageError(str(error)) from error
    if command is not None:
        edits.append(map_lines(command))
    return in_turn(edits) if edits else None


async def _show_plan(run: Redrive, rules: RedriveRules) -> None:
    tally = Tally()
    shown: list[PlannedRedrive] = []
    async for plan in run.plan():
        tally.add([planned.letter for planned in plan.to_send])
        shown += plan.to_send[: SHOWN - len(shown)]
    if not tally.letters:
        return
    say_tally(tally)
    click.echo(f"\nthe first {len(shown)}:")
    if rules.edit is None:
        say_letters([planned.letter for planned in shown])
    else:
        for planned in shown:
            say_difference(planned)
    click.echo()


async def _redrive(run: Redrive, rate: float | None) -> None:
    terminal = sys.stderr.isatty()
    async for _ in run.run(rate=rate):
        if terminal:
            click.echo(f"\r{run.progress.sent:,} redriven", nl=False, err=True)
    if terminal:
        click.echo("\r", nl=False, err=True)


def _say_result(result: RedriveProgress, rules: RedriveRules) -> None:
    if result.already_redriven:
        click.echo(f"{result.already_redriven:,} left: they were redriven before")
    if result.too_often:
        click.echo(
            f"{result.too_often:,} left: redriven {rules.max_redrives} times or more; --max-redrives allows more"
        )
    if result.left_alone:
        click.echo(f"{result.left_alone:,} left alone by the command")
    if result.refused:
        click.echo(f"{result.refused:,} cannot be redriven:")
        for refusal in result.refusals[:SHOWN]:
            click.echo(f"  {printable(str(refusal))}")
