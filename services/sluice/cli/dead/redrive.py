"""``sluice dead redrive``: publishes dead letters again; without ``--yes`` it only shows what it would do."""

import asyncio
import sys

import click

from sluice.cli.dead.selecting import select_letters
from sluice.cli.dead.text import print_difference, print_letters, print_tally
from sluice.cli.exits import CommandFailed, Exit
from sluice.cli.terminal import printable
from sluice.dead_letters.editing import Edit, MapFailed, edit_fields, in_turn, map_lines, parse_path, parse_set
from sluice.dead_letters.reasons import Tally
from sluice.dead_letters.redrive import RedriveError, RedriveResult, plan
from sluice.dead_letters.redrive import redrive as redrive_letters
from sluice.dead_letters.redrive_plan import NextLife, Rules
from sluice.dead_letters.selection import Selection

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
    force: bool,
    yes: bool,
) -> None:
    r"""Publish dead letters of DESTINATION again, to the partition that they came from.

    Each letter is redriven once: run an interrupted command again to resume it. A FIELD may be nested, as
    address.city; \. is a dot in its name. The command of --map is started once for each 1,000 letters or fewer.

    A redriven record is applied after everything that was published since: an old change can undo a newer one of its
    key.
    """
    edit = _edit(sets, drops, command)
    if force and edit is not None:
        raise click.UsageError("--force sends bytes as they are: leave --set, --drop and --map out")
    result = RedriveResult()
    try:
        if yes:
            asyncio.run(
                redrive_letters(
                    config,
                    destination,
                    selection,
                    edit=edit,
                    rate=rate,
                    max_redrives=max_redrives,
                    force=force,
                    on_sent=lambda so_far: _overwrite_line(f"{so_far.sent:,} redriven"),
                    result=result,
                )
            )
        else:
            asyncio.run(_print_plan(config, destination, selection, Rules(edit, max_redrives, force), result))
    except MapFailed as error:
        raise CommandFailed(str(error), Exit.SOME_FAILED if yes and result.sent else Exit.USAGE) from error
    except RedriveError as error:
        raise CommandFailed(str(error), Exit.KAFKA) from error
    finally:
        if yes and result.selected:
            _overwrite_line("")
            _print_result(result, max_redrives)
            click.echo(f"{result.sent:,} dead letters of {destination} were redriven")
    if not result.selected:
        click.echo(f"no dead letter of {destination} is selected; nothing was sent")
    elif not yes:
        _print_result(result, max_redrives)
        click.echo(
            f"{result.sent:,} dead letters of {destination} would be redriven; nothing was sent: --yes sends them"
        )
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


async def _print_plan(config: str, destination: str, selection: Selection, rules: Rules, result: RedriveResult) -> None:
    tally = Tally()
    shown: list[NextLife] = []
    async for planned in plan(config, destination, selection, rules, result):
        tally.add([redriven.letter for redriven in planned.next])
        shown += planned.next[: SHOWN - len(shown)]
    if not tally.letters:
        return
    print_tally(tally)
    click.echo(f"\nthe first {len(shown)}:")
    if rules.edit is None:
        print_letters([redriven.letter for redriven in shown])
    else:
        for redriven in shown:
            print_difference(redriven)
    click.echo()


def _overwrite_line(text: str) -> None:
    if sys.stderr.isatty():
        click.echo(f"\r{text}", nl=False, err=True)


def _print_result(result: RedriveResult, max_redrives: int) -> None:
    if result.already:
        click.echo(f"{result.already:,} left: they were redriven before")
    if result.too_often:
        click.echo(f"{result.too_often:,} left: redriven {max_redrives} times or more; --max-redrives allows more")
    if result.left_alone:
        click.echo(f"{result.left_alone:,} left alone by the command")
    if result.refused:
        click.echo(f"{result.refused:,} cannot be redriven:")
        for refusal in result.refusals[:SHOWN]:
            click.echo(f"  {printable(str(refusal))}")
