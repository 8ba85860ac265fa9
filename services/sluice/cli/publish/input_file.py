"""Opens the file to publish, or standard input, gzip or not, and detects its format; the file's rows."""

import gzip
import io
import os
import stat
import sys
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO, Literal, NamedTuple

Format = Literal["csv", "jsonl", "json"]

STANDARD_INPUT = "-"

_PEEK_BYTES = 64 * 1024
_EXTENSIONS: dict[str, Format] = {".csv": "csv", ".tsv": "csv", ".jsonl": "jsonl", ".ndjson": "jsonl"}
_UTF16 = (b"\xff\xfe", b"\xfe\xff")
_SIGNATURES = {
    b"PK\x03\x04": "a zip archive or an Excel workbook; unpack it, or save the sheet as CSV",
    b"\xd0\xcf\x11\xe0": "an old Excel workbook; save the sheet as CSV",
    b"PAR1": "a Parquet file; convert it to JSON Lines",
    b"BZh": "bzip2 data; unpack it first",
    b"\xfd7zXZ": "xz data; unpack it first",
    b"\x28\xb5\x2f\xfd": "zstd data; unpack it first",
}


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


class InputFile(NamedTuple):
    """A file that is open for reading."""

    name: str
    stream: "io.BufferedReader[Any]"
    """Its content, without gzip."""
    total_bytes: int | None
    """Size on disk; ``None`` for a pipe."""
    raw: BinaryIO

    @property
    def position_bytes(self) -> int:
        """The bytes of the file on disk that were read; 0 for a pipe."""
        return self.raw.tell() if self.total_bytes is not None else 0


@contextmanager
def open_input(path: str) -> Iterator[InputFile]:
    """Open ``path``, or standard input for ``-``. Raises ``UnusableFile``."""
    name = "standard input" if path == STANDARD_INPUT else path
    try:
        # Not sys.stdin: a thread that waits in it would keep the interpreter from ending.
        raw = open(sys.stdin.fileno(), "rb", closefd=False) if path == STANDARD_INPUT else Path(path).open("rb")  # noqa: SIM115
    except OSError as error:
        raise UnusableFile(f"cannot read {name}: {error.strerror}") from error
    status = os.fstat(raw.fileno())
    if not stat.S_ISREG(status.st_mode):
        yield InputFile(name, _decompressed(raw), None, raw)  # not closed: that would wait for the thread that reads it
        return
    with raw:
        yield InputFile(name, _decompressed(raw), status.st_size, raw)


def detect_format(file: InputFile) -> Format:
    """Return the format by the name's extension where it is known, else by the first character."""
    if by_name := _EXTENSIONS.get(Path(file.name.removesuffix(".gz")).suffix.lower()):
        return by_name
    start = peek(file).removeprefix(b"\xef\xbb\xbf").lstrip()
    return "json" if start.startswith(b"[") else "jsonl" if start.startswith(b"{") else "csv"


def check_text(file: InputFile) -> None:
    """Raise ``UnusableFile`` for a file that is empty or is not text in UTF-8."""
    start = peek(file)
    if not start:
        raise UnusableFile(f"{file.name} is empty")
    if start.startswith(_UTF16):
        raise UnusableFile(f"expected text in UTF-8, got UTF-16 in {file.name}; convert it, for example with iconv")
    for signature, what in _SIGNATURES.items():
        if start.startswith(signature):
            raise UnusableFile(f"expected CSV or JSON in {file.name}, got {what}")
    if b"\0" in start:
        raise UnusableFile(f"expected CSV or JSON in {file.name}, got binary data; export it as one of these")


def peek(file: InputFile) -> bytes:
    """Return the beginning of the content, which stays to be read."""
    with reading(file.name):
        return file.stream.peek(_PEEK_BYTES)


@contextmanager
def reading(name: str) -> Iterator[None]:
    """Turn every error of reading into ``UnusableFile``."""
    try:
        yield
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise UnusableFile(f"the gzip data in {name} is damaged or cut off: {error}; get the file again") from error
    except OSError as error:
        raise UnusableFile(f"cannot read {name}: {error.strerror or error}") from error


def excerpt(text: str | bytes, limit: int = 200) -> str:
    """Return ``text`` cut to ``limit`` characters, with escapes for bytes that are not UTF-8."""
    if isinstance(text, bytes):
        text = text[: limit * 4].decode("utf-8", "backslashreplace")
    return text if len(text) <= limit else f"{text[: limit - 1]}…"


def _decompressed(raw: io.BufferedReader) -> "io.BufferedReader[Any]":
    if not raw.peek(2).startswith(b"\x1f\x8b"):
        return raw
    return io.BufferedReader(gzip.GzipFile(fileobj=raw), _PEEK_BYTES)
