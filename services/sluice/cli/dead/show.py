"""``sluice dead show``: prints one dead letter, its record and its history."""

import asyncio
import re
from collections.abc import Iterator

import click

from sluice.cli.dead.text import record_lines, refs_text
from sluice.cli.exits import CommandFailed, Exit
from sluice.cli.terminal import counted, decoded, local_time, printable
from sluice.client.receipts import DeadLetter
from sluice.dead_letters.history import History, NoSuchLetter, history_of, letter_at, letter_of_event
from sluice.dead_letters.selection import open_dead_letters
from sluice.events import Place

MAX_HEADERS = 50
MAX_SHOWN_CHARS = 1000
"""Of a key or a header: they can be larger than Kafka's batches, which come compressed."""


@click.command()
@click.argument("destination")
@click.argument("letter", metavar="PARTITION/OFFSET|EVENT_ID")
@click.pass_obj
def show(config: str, destination: str, letter: str) -> None:
    """Print one dead letter of DESTINATION: its record, and everything that is known about it.

    An EVENT_ID stands for the newest dead letter of that event.
    """
    try:
        history = asyncio.run(_read_history(config, destination, letter))
    except NoSuchLetter as error:
        raise CommandFailed(str(error), Exit.USAGE) from error
    lines = [(name, printable(text)) for name, text in _facts(history) if text]
    width = max(len(name) for name, _ in lines)
    for name, text in lines:
        click.echo(f"{click.style(f'{name:<{width}}', dim=True)}  {text}")
    click.echo()
    for line in [history.original_problem] if history.original_problem else record_lines(history.original.value):
        click.echo(line)


async def _read_history(config: str, destination: str, letter: str) -> History:
    async with open_dead_letters(destination, config) as dead_letters:
        if place := re.fullmatch(r"(\d+)/(\d+)", letter):
            found = await letter_at(dead_letters, int(place[1]), int(place[2]))
        else:
            found = await letter_of_event(dead_letters, letter)
        return await history_of(dead_letters, found)


def _facts(history: History) -> Iterator[tuple[str, str]]:
    letter = history.letter
    yield "dead letter", f"{letter.place.topic} {_place(letter)}, written {local_time(letter.written_at)}"
    yield "class", letter.error_class
    yield "code", letter.code
    yield "message", letter.message
    yield "http status", str(letter.http_status or "")
    yield "attempts", str(letter.attempt)
    yield "first failure", local_time(letter.first_failure_at) if letter.first_failure_at else ""
    yield "batch", letter.batch_id or "none: it was never sent"
    yield "at the vendor", refs_text(letter.refs)
    yield "published at", _place_text(letter.source)
    yield "cut here", ", ".join(letter.cut)
    yield "original at", _place_text(letter.original_at)
    yield "trace", _trace_id(letter.traceparent)
    yield "message key", _shortened(decoded(history.original.key))
    headers = history.original.headers
    for name, value in headers[:MAX_HEADERS]:
        yield f"header {_shortened(name)}", _shortened(decoded(value))
    if len(headers) > MAX_HEADERS:
        yield "more headers", f"{len(headers) - MAX_HEADERS:,}"
    yield "redriven", _redriven(history)
    for other in history.dead_letters_of_record:
        if other.place != letter.place:
            when = "later" if other.redrive_count > letter.redrive_count else "earlier"
            place, written_at = _place(other), local_time(other.written_at)
            yield f"{when} outcome", f"dead letter {place}, {written_at}, {other.code}: {other.message}"
    if history.succeeded is not None:
        receipt = history.succeeded
        yield "later outcome", f"{receipt.event.outcome} {local_time(receipt.written_at)}: {receipt.event.status}"


def _shortened(text: str) -> str:
    return text if len(text) <= MAX_SHOWN_CHARS else f"{text[:MAX_SHOWN_CHARS]}… ({len(text):,} characters)"


def _redriven(history: History) -> str:
    count = history.letter.redrive_count
    times = f"{counted(count, 'time')} before" if count else "not before"
    if not history.was_redriven:
        return f"{times}, and not since"
    dead_again = any(other.redrive_count > history.letter.redrive_count for other in history.dead_letters_of_record)
    settled = dead_again or history.succeeded is not None
    return f"{times}, and since" + ("" if settled else f"; no receipt yet among {history.searched:,} looked through")


def _place_text(place: Place | None) -> str:
    return "" if place is None else f"{place.topic} {place.partition}/{place.offset}"


def _place(letter: DeadLetter) -> str:
    return f"{letter.place.partition}/{letter.place.offset}"


def _trace_id(traceparent: str | None) -> str:
    parts = (traceparent or "").split("-")
    return parts[1] if len(parts) >= 4 else ""
