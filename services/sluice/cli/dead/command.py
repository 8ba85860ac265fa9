"""``sluice dead``: counts, lists, shows and redrives dead letters."""

import asyncio
import gc
import heapq
from collections.abc import AsyncIterator, Iterable
from operator import attrgetter

import click
import msgspec
from aiokafka import ConsumerRecord

from sluice.cli.dead.redrive import redrive
from sluice.cli.dead.selecting import select_letters
from sluice.cli.dead.show import show
from sluice.cli.dead.text import print_letters, print_tally
from sluice.cli.receipt_text import receipt_json
from sluice.cli.terminal import counted
from sluice.client.receipts import read_dead_letter
from sluice.dead_letters.reasons import Tally
from sluice.dead_letters.selection import SelectedLetters, Selection, open_dead_letters

DEFAULT_LIMIT = 20


@click.group(commands=[redrive, show])
def dead() -> None:
    """Look at dead letters, and redrive them.

    A redriven letter stays in its topic until the topic's retention removes it; only --all counts and lists it.
    """
    # A letter is garbage as soon as it is read; the collector's searches for cycles would take a third of the time.
    gc.freeze()
    gc.set_threshold(100_000, 50, 50)


@dead.command()
@click.argument("destination")
@select_letters
@click.option("--all", "with_redriven", is_flag=True, help="Count redriven letters, too.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object a line, for each reason.")
@click.pass_obj
def count(config: str, destination: str, selection: Selection, with_redriven: bool, as_json: bool) -> None:
    """Count the dead letters of DESTINATION by reason, and by object.

    Similar messages are one reason: quoted text shows as … and ids and numbers as #.
    """
    tally, already, _ = asyncio.run(_read(_readings(config, destination, selection, with_redriven), 0))
    if not as_json:
        _print_count(tally, already, destination)
        return
    for reason, letters, partition, offset in tally.groups:
        line = {"letters": letters, **reason._asdict(), "example": f"{partition}/{offset}"}
        click.echo(msgspec.json.encode(line))


@dead.command()
@click.argument("destination")
@select_letters
@click.option("--all", "with_redriven", is_flag=True, help="List redriven letters, too.")
@click.option(
    "--limit",
    type=click.IntRange(min=1),
    metavar="N",
    help=f"The newest N of them.  [default: {DEFAULT_LIMIT}; with --json all, in the order in which they are read]",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object a line, for each letter.")
@click.pass_obj
def ls(
    config: str, destination: str, selection: Selection, with_redriven: bool, limit: int | None, as_json: bool
) -> None:
    """List the dead letters of DESTINATION: how many have each reason, then the newest letters."""
    readings = _readings(config, destination, selection, with_redriven)
    if as_json and limit is None:
        asyncio.run(_print_all(readings))
        return
    tally, already, newest = asyncio.run(_read(readings, limit or DEFAULT_LIMIT))
    if as_json:
        _print_json(newest)
        return
    _print_count(tally, already, destination)
    if newest:
        click.echo()
        print_letters(newest)


async def _read(readings: AsyncIterator[SelectedLetters], most: int) -> tuple[Tally, int, list[ConsumerRecord]]:
    """Return the tally, how many letters are not in it because they were redriven, and the ``most`` newest letters."""
    tally, already = Tally(), 0
    newest: list[ConsumerRecord] = []
    async for reading in readings:
        tally.add(reading.letters)
        already += reading.already_redriven
        newest = heapq.nlargest(most, [*newest, *reading.letters], key=attrgetter("timestamp", "partition", "offset"))
    return tally, already, newest


async def _print_all(readings: AsyncIterator[SelectedLetters]) -> None:
    async for reading in readings:
        _print_json(reading.letters)


async def _readings(
    config: str, destination: str, selection: Selection, with_redriven: bool
) -> AsyncIterator[SelectedLetters]:
    async with open_dead_letters(destination, config) as dead_letters:
        redriven = None if with_redriven else await dead_letters.redriven_offsets()
        async for reading in dead_letters.read(selection, redriven):
            yield reading


def _print_count(tally: Tally, already: int, destination: str) -> None:
    if tally.letters:
        click.echo(f"{tally.letters:,} dead letters of {destination}, {counted(len(tally.groups), 'reason')}\n")
        print_tally(tally)
    else:
        click.echo(f"no dead letter of {destination} is selected")
    if already:
        click.echo(f"\n{already:,} more were redriven; --all shows them, too")


def _print_json(letters: Iterable[ConsumerRecord]) -> None:
    for letter in letters:
        click.echo(receipt_json(read_dead_letter(letter)))
