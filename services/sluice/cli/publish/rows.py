"""What a file holds, row by row: one that can be read, or the reason why one cannot."""

from typing import Any, NamedTuple

Raw = dict[str, Any]
"""A row's fields. Those of a JSON file stay encoded, as ``msgspec.Raw``, so that no number is rounded."""


class Row(NamedTuple):
    """One record of the file."""

    line: int
    """Where it begins, from 1."""
    fields: Raw


class BadRow(NamedTuple):
    """One record of the file that cannot be published; the next ones can."""

    line: int
    reason: str
    content: Raw | str
    """Its fields where they could be read, else its text, cut to be shown."""


class UnusableFile(Exception):
    """A file that cannot be read from here on; the message says what was expected, what came, and what to do."""


def shown(text: str | bytes, limit: int = 200) -> str:
    """``text`` for people, cut to ``limit`` characters."""
    if isinstance(text, bytes):
        text = text[: limit * 4].decode("utf-8", "backslashreplace")
    return text if len(text) <= limit else f"{text[: limit - 1]}…"
