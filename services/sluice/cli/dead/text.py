"""Dead letters for people: reasons with their counts, letters on a line each, edits as a difference."""

import difflib
import shutil
import sys
from collections.abc import Iterator, Sequence

import click
import msgspec
from aiokafka import ConsumerRecord

from sluice.cli.receipt_text import key_text
from sluice.client.receipts import read_dead_letter
from sluice.dead_letters.reasons import Group, Tally
from sluice.dead_letters.redrive_plan import PlannedRedrive

MAX_GROUPS = 20
"""Reasons, and objects, that are shown; the rest is counted."""

_CODE_WIDTH = 20


def say_tally(tally: Tally) -> None:
    """Letters by reason, then by object."""
    groups = tally.groups
    table = [("letters", "class", "code", "for example", "message"), *map(_group_cells, groups[:MAX_GROUPS])]
    widths = [max(len(row[column]) for row in table) for column in range(4)]
    for row in table:
        count, class_, code, place, message = (
            f"{cell:<{width}}" for cell, width in zip(row, [*widths, 0], strict=True)
        )
        line = f"{count.strip():>{widths[0]}}  {class_}  {code}  {place}  {message}".rstrip()
        click.secho(cut(line), dim=row is table[0])
    _say_rest(len(groups), sum(group.letters for group in groups[MAX_GROUPS:]), "reasons")
    click.echo()
    click.secho(f"{'letters':>{widths[0]}}  object", dim=True)
    for name, letters in tally.objects[:MAX_GROUPS]:
        click.echo(cut(f"{letters:>{widths[0]},}  {printable(name)}"))
    _say_rest(len(tally.objects), sum(letters for _, letters in tally.objects[MAX_GROUPS:]), "objects")


def say_letters(letters: Sequence[ConsumerRecord]) -> None:
    """One line each."""
    places = [f"{letter.partition}/{letter.offset}" for letter in letters]
    width = max((len(place) for place in places), default=0)
    for place, message in zip(places, letters, strict=True):
        letter = read_dead_letter(message)
        object_ = letter.event.object if letter.event else "?"
        key = key_text(letter.event.key) if letter.event else (message.key or b"").decode("utf-8", "backslashreplace")
        written_at = f"{letter.written_at.astimezone():%Y-%m-%d %H:%M:%S}"
        line = f"{place:<{width}}  {written_at}  {object_:<18} {key:<24} {letter.code:<{_CODE_WIDTH}} {letter.message}"
        click.echo(cut(printable(line).rstrip()))


def say_difference(life: PlannedRedrive) -> None:
    """What an edit changes in one letter."""
    place = f"{life.letter.partition}/{life.letter.offset}"
    before, after = list(record_lines(life.before)), list(record_lines(life.message.value))
    for line in list(difflib.unified_diff(before, after, place, f"{place} edited", lineterm="")):
        colour = {"+": "green", "-": "red"}.get(line[:1])
        click.secho(line, fg=colour)


def record_lines(value: bytes | None) -> Iterator[str]:
    """JSON, indented; a hex dump of all other bytes."""
    if value is None:
        yield "null"
        return
    try:
        text = msgspec.json.format(value, indent=2).decode()
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        yield from _hex_dump(value)
    else:
        yield from map(printable, text.splitlines())


def printable(text: str) -> str:
    """Without what could steer a terminal: records come from anywhere."""
    return "".join(character if character.isprintable() else "·" for character in text)


def cut(line: str) -> str:
    """To the width of the terminal, if it goes to one."""
    return line[: shutil.get_terminal_size().columns] if sys.stdout.isatty() else line


def _group_cells(group: Group) -> tuple[str, str, str, str, str]:
    error_class, code, message = (printable(text) for text in group.reason)
    return f"{group.letters:,}", error_class, code, f"{group.partition}/{group.offset}", message


def _say_rest(count: int, letters: int, what: str) -> None:
    if letters:
        click.echo(f"{letters:,} letters of {count - MAX_GROUPS:,} more {what}")


def _hex_dump(value: bytes, width: int = 16) -> Iterator[str]:
    for start in range(0, len(value), width):
        row = value[start : start + width]
        text = "".join(chr(byte) if 32 <= byte < 127 else "." for byte in row)
        yield f"{start:08x}  {row.hex(' '):<{width * 3 - 1}}  {text}"
