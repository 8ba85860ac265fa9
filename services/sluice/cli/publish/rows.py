"""The rows of a file: one that can be read, or the reason why one cannot."""

from typing import Any, NamedTuple

Fields = dict[str, Any]
"""A row's fields. Those of a JSON file stay encoded, as ``msgspec.Raw``, so that no number is rounded."""


class Row(NamedTuple):
    """A row of the file that can be read."""

    line: int
    """The line where it begins, from 1."""
    fields: Fields


class BadRow(NamedTuple):
    """A row of the file that cannot be published; the rows after it can."""

    line: int
    reason: str
    content: Fields | str
    """Its fields where they could be read, else an excerpt of its text."""


class UnusableFile(Exception):
    """A file that cannot be read from here on; the message says what was expected, what came, and what to do."""


def excerpt(text: str | bytes, limit: int = 200) -> str:
    """Return ``text`` cut to ``limit`` characters, with escapes for bytes that are not UTF-8."""
    if isinstance(text, bytes):
        text = text[: limit * 4].decode("utf-8", "backslashreplace")
    return text if len(text) <= limit else f"{text[: limit - 1]}…"
