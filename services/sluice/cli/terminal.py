"""Text for a terminal: local times, counted nouns, and bytes from anywhere."""

import shutil
import sys
from datetime import datetime


def local_time(instant: datetime) -> str:
    """Return ``instant`` in the time zone of this machine, to the second."""
    try:
        return f"{instant.astimezone():%Y-%m-%d %H:%M:%S}"
    except OverflowError:  # a header from anywhere can name the first or last day of the calendar
        return str(instant)


def counted(count: int, noun: str) -> str:
    """Return ``1 letter``, ``2 letters``."""
    return f"{count:,} {noun}{'s'[: count != 1]}"


def decoded(value: bytes | None) -> str:
    """Return ``value`` as text, with escapes for bytes that are not UTF-8."""
    return (value or b"").decode("utf-8", "backslashreplace")


def printable(text: str) -> str:
    """Replace every character that could control a terminal: records come from anywhere."""
    return "".join(character if character.isprintable() else "·" for character in text)


def fitted(line: str) -> str:
    """Cut ``line`` to the terminal's width; leave it whole where standard output is not a terminal."""
    return line[: shutil.get_terminal_size().columns] if sys.stdout.isatty() else line
