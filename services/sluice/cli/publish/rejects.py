"""The file of the rows that could not be published, each with its line and the reason."""

import os
from pathlib import Path
from typing import BinaryIO

import msgspec

from sluice.cli.exits import CommandFailed, Exit
from sluice.cli.publish.input_file import STANDARD_INPUT, BadRow, Fields

SUFFIX = ".rejects.jsonl"


def rejects_path(source: str, chosen: str | None) -> Path:
    """Return ``chosen``, or a path beside ``source``. Raises ``CommandFailed`` where that is ``source`` itself."""
    path = Path(chosen or f"{'stdin' if source == STANDARD_INPUT else source}{SUFFIX}")
    if path.resolve() == Path(source).resolve():
        raise CommandFailed(f"{path} is the file to publish; name another file with --rejects", Exit.USAGE)
    return path


class Rejects:
    """A file of JSON Lines, made when the first row is rejected."""

    def __init__(self, path: Path) -> None:
        """Raise ``CommandFailed`` where the file cannot be made, before anything is published."""
        self.path = path
        self.count = 0
        self._file: BinaryIO | None = None
        if not os.access(path if path.exists() else path.parent, os.W_OK):
            raise self._unwritable("no permission, or no such directory")

    def close(self) -> None:
        """Close the file, so that all rows are in it."""
        if self._file is not None:
            self._file.close()

    def add(self, bad: BadRow) -> None:
        """Write one row."""
        content = {"text": _text(bad.content)} if isinstance(bad.content, str) else {"row": _writable(bad.content)}
        if self._file is None:
            try:
                self._file = self.path.open("wb")
            except OSError as error:
                raise self._unwritable(error.strerror or str(error)) from error
        self._file.write(msgspec.json.encode({"line": bad.line, "reason": bad.reason, **content}) + b"\n")
        self.count += 1

    def _unwritable(self, why: str) -> CommandFailed:
        return CommandFailed(
            f"cannot write rejected rows to {self.path}: {why}; name another file with --rejects", Exit.USAGE
        )


def _writable(fields: Fields) -> Fields:
    """Return ``fields`` with escapes for bytes that were not UTF-8."""
    return {_text(name): _text(value) if isinstance(value, str) else value for name, value in fields.items()}


def _text(value: str) -> str:
    return value.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
