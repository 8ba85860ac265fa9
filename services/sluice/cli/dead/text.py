"""Dead letters as text: reasons with their counts, letters on a line each, edits as a difference."""

import difflib
from collections.abc import Iterator, Mapping, Sequence

import click
import msgspec
from aiokafka import ConsumerRecord

from sluice.cli.receipt_text import object_and_key, receipt_cells
from sluice.cli.terminal import counted, fitted, local_time, printable
from sluice.client.receipts import read_dead_letter
from sluice.dead_letters.reasons import Group, Tally
from sluice.dead_letters.redrive_plan import PlannedRedrive

MAX_GROUPS = 20
"""Reasons, and objects, that are shown; the others are only counted."""


def print_tally(tally: Tally) -> None:
    """Print the numbers of letters by reason, then by object."""
    groups = tally.groups
    table = [("letters", "class", "code", "for example", "message"), *map(_group_cells, groups[:MAX_GROUPS])]
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    for row in table:
        count, *others = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        line = "  ".join([count.strip().rjust(widths[0]), *others]).rstrip()
        click.secho(fitted(line), dim=row is table[0])
    _print_rest(len(groups), sum(group.letters for group in groups[MAX_GROUPS:]), "reasons")
    click.echo()
    click.secho(f"{'letters':>{widths[0]}}  object", dim=True)
    for name, letters in tally.objects[:MAX_GROUPS]:
        click.echo(fitted(f"{letters:>{widths[0]},}  {printable(name)}"))
    _print_rest(len(tally.objects), sum(letters for _, letters in tally.objects[MAX_GROUPS:]), "objects")


def print_letters(letters: Sequence[ConsumerRecord]) -> None:
    """Print one line for each letter."""
    places = [f"{letter.partition}/{letter.offset}" for letter in letters]
    width = max((len(place) for place in places), default=0)
    for place, message in zip(places, letters, strict=True):
        letter = read_dead_letter(message)
        cells = receipt_cells(*object_and_key(letter), letter.code, letter.message)
        click.echo(fitted(f"{place:<{width}}  {local_time(letter.written_at)}  {cells}"))


def print_difference(planned: PlannedRedrive) -> None:
    """Print the lines of one letter that an edit changes."""
    place = f"{planned.letter.partition}/{planned.letter.offset}"
    before, after = list(record_lines(planned.before)), list(record_lines(planned.message.value))
    for line in difflib.unified_diff(before, after, place, f"{place} edited", lineterm=""):
        colour = {"+": "green", "-": "red"}.get(line[:1])
        click.secho(line, fg=colour)


def refs_text(refs: Mapping[str, str]) -> str:
    """Return what was made of a record at the vendor, in one line; empty for nothing."""
    return printable(", ".join(f"{name} {value}" for name, value in refs.items()))


def record_lines(value: bytes | None) -> Iterator[str]:
    """Yield JSON indented, and all other bytes as a hex dump."""
    if value is None:
        yield "null"
        return
    try:
        text = msgspec.json.format(value, indent=2).decode()
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        yield from _hex_dump(value)
    else:
        yield from map(printable, text.splitlines())


def _group_cells(group: Group) -> tuple[str, str, str, str, str]:
    error_class, code, message = (printable(text) for text in group.reason)
    return f"{group.letters:,}", error_class, code, f"{group.partition}/{group.offset}", message


def _print_rest(count: int, letters: int, noun: str) -> None:
    if letters:
        click.echo(f"{counted(letters, 'letter')} of {count - MAX_GROUPS:,} more {noun}")


def _hex_dump(value: bytes, width: int = 16) -> Iterator[str]:
    for start in range(0, len(value), width):
        row = value[start : start + width]
        text = "".join(chr(byte) if 32 <= byte < 127 else "." for byte in row)
        yield f"{start:08x}  {row.hex(' '):<{width * 3 - 1}}  {text}"
