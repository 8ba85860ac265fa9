"""``sluice dead``: what was given up, why, and how it goes on."""

import asyncio
import gc
import heapq
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import click
import msgspec
from aiokafka import ConsumerRecord

from sluice.cli.dead.redrive import redrive
from sluice.cli.dead.selecting import selecting, selection
from sluice.cli.dead.show import show
from sluice.cli.dead.text import say_letters, say_tally
from sluice.cli.receipt_text import receipt_json
from sluice.client.connection import connect
from sluice.client.receipts import read_dead_letter
from sluice.dead_letters.reasons import Tally
from sluice.dead_letters.selection import DeadLetters, SelectedLetters, Selection, open_dead_letters

DEFAULT_LIMIT = 20


@click.group()
def dead() -> None:
    """Look at dead letters, and redrive them.

    A letter that was redriven stays in its topic until retention takes it; it is counted and listed with --all only.
    """
    # Letters go as soon as they are read; walking through them again and again in search of cycles costs a third.
    gc.freeze()
    gc.set_threshold(100_000, 50, 50)


dead.add_command(redrive)
dead.add_command(show)


@dead.command()
@click.argument("destination")
@selecting
@click.option("--all", "with_redriven", is_flag=True, help="Count those that were redriven, too.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object a line, for each reason.")
@click.pass_context
def count(ctx: click.Context, destination: str, with_redriven: bool, as_json: bool) -> None:
    """Count the dead letters of DESTINATION by reason, and by object.

    Alike messages are one reason: what is quoted in them shows as … and ids and numbers as #.
    """
    tally = asyncio.run(_count(ctx.obj, destination, selection(ctx), with_redriven, as_json))
    if as_json:
        for reason, letters, partition, offset in tally.groups:
            line = {"letters": letters, **reason._asdict(), "example": f"{partition}/{offset}"}
            click.echo(msgspec.json.encode(line))


@dead.command()
@click.argument("destination")
@selecting
@click.option("--all", "with_redriven", is_flag=True, help="List those that were redriven, too.")
@click.option(
    "--limit",
    type=click.IntRange(min=1),
    metavar="N",
    help=f"The newest N of them.  [default: {DEFAULT_LIMIT}; with --json all, in the order in which they are read]",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object a line, for each letter.")
@click.pass_context
def ls(ctx: click.Context, destination: str, with_redriven: bool, limit: int | None, as_json: bool) -> None:
    """List the dead letters of DESTINATION: how many there are of each reason, then the newest."""
    asyncio.run(_list(ctx.obj, destination, selection(ctx), with_redriven, limit, as_json))


async def _count(config: str, destination: str, selected: Selection, with_redriven: bool, as_json: bool) -> Tally:
    tally = Tally()
    already = 0
    async with _opened(config, destination) as dead_letters:
        async for reading in _readings(dead_letters, selected, with_redriven):
            tally.add(reading.letters)
            already += reading.already_redriven
    if not as_json:
        _say(tally, already, destination)
    return tally


async def _list(
    config: str, destination: str, selected: Selection, with_redriven: bool, limit: int | None, as_json: bool
) -> None:
    tally = Tally()
    already = 0
    newest: list[ConsumerRecord] = []
    async with _opened(config, destination) as dead_letters:
        async for reading in _readings(dead_letters, selected, with_redriven):
            if as_json and limit is None:
                _say_json(reading.letters)
                continue
            tally.add(reading.letters)
            already += reading.already_redriven
            newest = heapq.nlargest(limit or DEFAULT_LIMIT, [*newest, *reading.letters], key=_written_at)
    if as_json:
        _say_json(newest)
        return
    _say(tally, already, destination)
    if newest:
        click.echo()
        say_letters(newest)


@asynccontextmanager
async def _opened(config: str, destination: str) -> AsyncIterator[DeadLetters]:
    async with open_dead_letters(destination, connect(config)) as dead_letters:
        yield dead_letters


async def _readings(
    dead_letters: DeadLetters, selected: Selection, with_redriven: bool
) -> AsyncIterator[SelectedLetters]:
    redriven = None if with_redriven else await dead_letters.redriven_offsets()
    async for reading in dead_letters.read(selected, redriven):
        yield reading


def _say(tally: Tally, already: int, destination: str) -> None:
    if tally.letters:
        reasons = len(tally.groups)
        click.echo(f"{tally.letters:,} dead letters of {destination}, {reasons:,} reason{'s'[: reasons != 1]}\n")
        say_tally(tally)
    else:
        click.echo(f"no dead letter of {destination} is selected")
    if already:
        click.echo(f"\n{already:,} more were redriven; --all shows them, too")


def _say_json(letters: list[ConsumerRecord]) -> None:
    for letter in letters:
        click.echo(receipt_json(read_dead_letter(letter)))


def _written_at(letter: ConsumerRecord) -> tuple[int, int, int]:
    return letter.timestamp, letter.partition, letter.offset
