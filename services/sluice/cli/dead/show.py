"""``sluice dead show``: one record and its whole story."""

import asyncio
import re
from collections.abc import Iterator
from datetime import datetime

import click

from sluice.cli.dead.text import printable, record_lines
from sluice.cli.exits import CommandFailed, Exit
from sluice.client.connection import connect
from sluice.client.receipts import DeadLetter
from sluice.dead_letters.history import History, NoSuchLetter, history_of, letter_at, letter_of_event
from sluice.dead_letters.selection import open_dead_letters


@click.command()
@click.argument("destination")
@click.argument("letter", metavar="PARTITION/OFFSET|EVENT_ID")
@click.pass_obj
def show(config: str, destination: str, letter: str) -> None:
    """Print one dead letter of DESTINATION: the record, and all that is known of what happened to it.

    The newest one where an event has several.
    """
    try:
        story = asyncio.run(_story(config, destination, letter))
    except NoSuchLetter as error:
        raise CommandFailed(str(error), Exit.USAGE) from error
    lines = [(name, printable(text)) for name, text in _facts(story) if text]
    width = max(len(name) for name, _ in lines)
    for name, text in lines:
        click.echo(f"{click.style(f'{name:<{width}}', dim=True)}  {text}")
    click.echo()
    for line in [story.payload_problem] if story.payload_problem else record_lines(story.payload):
        click.echo(line)


async def _story(config: str, destination: str, letter: str) -> History:
    async with open_dead_letters(destination, connect(config)) as dead_letters:
        if place := re.fullmatch(r"(\d+)/(\d+)", letter):
            found = await letter_at(dead_letters, int(place[1]), int(place[2]))
        else:
            found = await letter_of_event(dead_letters, letter)
        return await history_of(dead_letters, found)


def _facts(story: History) -> Iterator[tuple[str, str]]:
    letter = story.letter
    yield "dead letter", f"{letter.place.topic} {_place(letter)}, written {_time(letter.written_at)}"
    yield "class", letter.error_class
    yield "code", letter.code
    yield "message", letter.message
    yield "http status", str(letter.http_status or "")
    yield "attempts", str(letter.attempt)
    yield "first failure", _time(letter.first_failure_at) if letter.first_failure_at else ""
    yield "batch", letter.batch_id or "none: it was never sent"
    if letter.source:
        yield "published at", f"{letter.source.topic} {letter.source.partition}/{letter.source.offset}"
    yield "payload at", story.payload_at
    yield "trace", _trace_id(letter.traceparent)
    yield "message key", (letter.key or b"").decode("utf-8", "backslashreplace")
    for name, value in letter.headers:
        yield f"header {name}", (value or b"").decode("utf-8", "backslashreplace")
    yield "redriven", _redriven(story)
    for life in story.dead_letters_of_record:
        if life.place != letter.place:
            when = "later" if life.redrive_count > letter.redrive_count else "earlier"
            yield f"{when} life", f"dead letter {_place(life)}, {_time(life.written_at)}, {life.code}: {life.message}"
    if story.succeeded is not None:
        receipt = story.succeeded
        yield "later life", f"{receipt.event.outcome} {_time(receipt.written_at)}: {receipt.event.status}"


def _redriven(story: History) -> str:
    count = story.letter.redrive_count
    times = f"{count} time{'s'[: count != 1]} before" if count else "not before"
    if not story.was_redriven:
        return f"{times}, and not since"
    dead_again = any(life.redrive_count > story.letter.redrive_count for life in story.dead_letters_of_record)
    settled = dead_again or story.succeeded is not None
    return f"{times}, and since" + ("" if settled else f"; no receipt yet among {story.searched:,} looked through")


def _place(letter: DeadLetter) -> str:
    return f"{letter.place.partition}/{letter.place.offset}"


def _time(instant: datetime) -> str:
    return f"{instant.astimezone():%Y-%m-%d %H:%M:%S}"


def _trace_id(traceparent: str | None) -> str:
    parts = (traceparent or "").split("-")
    return parts[1] if len(parts) >= 4 else ""
