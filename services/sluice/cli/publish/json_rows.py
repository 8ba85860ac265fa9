"""Rows of a JSON file: one object a line, or one array of objects."""

import codecs
import json
import re
from collections.abc import Callable, Iterator
from itertools import count
from typing import BinaryIO, NamedTuple

import msgspec

from sluice.cli.publish.input_file import BadRow, InputFile, Row, UnusableFile, excerpt, reading

MAX_ROW_BYTES = 16 * 1024 * 1024
"""The longest line, and the longest element of an array, that is read into memory."""

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


class UnparsedRow(NamedTuple):
    """A row of the file as text, whose syntax may not have been checked."""

    line: int
    text: bytes


def json_lines(file: InputFile) -> Iterator[UnparsedRow | BadRow]:
    """Yield the lines that are not blank. Raises ``UnusableFile``."""
    for line in count(1):
        with reading(file.name):
            text = file.stream.readline(MAX_ROW_BYTES)
        if not text:
            return
        if line == 1:
            text = text.removeprefix(_BYTE_ORDER_MARK)
            if text.strip() == b"{":
                raise UnusableFile(
                    f"expected one JSON object a line, or one array of them, in {file.name}, got an object "
                    "over several lines; put [ ] around it"
                )
        if len(text) == MAX_ROW_BYTES and not text.endswith(b"\n"):
            _skip_line(file.stream)
            yield BadRow(line, f"expected at most {MAX_ROW_BYTES} bytes in a line, got more", excerpt(text))
        elif text.strip():
            yield UnparsedRow(line, text)


def json_elements(file: InputFile, chunk_bytes: int = 256 * 1024) -> Iterator[UnparsedRow]:
    """Yield the elements of an array; ``chunk_bytes``, or one element, are in memory at a time.

    Raises ``UnusableFile``, also for an element that is not JSON: nobody can say where
    it ends, so nothing after it can be read.
    """
    text = _Text(file, chunk_bytes)
    if text.take_character() != "[":
        raise UnusableFile(f"expected one JSON array in {file.name}; for one object a line, say --format jsonl")
    if text.next_character() == "]":
        text.take_character()
    else:
        yield text.take_element()
        while (separator := text.take_character()) == ",":
            yield text.take_element()
        if separator != "]":
            raise _misplaced(separator, "`,` or `]`", file, text)
    if rest := text.next_character():
        raise _misplaced(rest, "nothing after the array", file, text)


def _misplaced(character: str, expected: str, file: InputFile, text: "_Text") -> UnusableFile:
    what = repr(character) if character else "the end of the file"
    return UnusableFile(
        f"expected {expected} in {file.name} at line {text.line}, got {what}; what came before was read"
    )


def parse_row(row: UnparsedRow) -> Row | BadRow:
    """Parse an object; its values stay encoded."""
    try:
        row.text.decode()  # msgspec does not check the UTF-8 of values that stay encoded
        return Row(row.line, _decode_fields(row.text))
    except UnicodeDecodeError:
        return BadRow(row.line, "expected text in UTF-8, got another encoding", excerpt(row.text))
    except (msgspec.DecodeError, RecursionError) as error:
        return BadRow(row.line, f"expected a JSON object: {error}", excerpt(row.text))


_decode_fields = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
_raw_decode = json.JSONDecoder().raw_decode
_skip_whitespace: Callable[[str, int], re.Match[str]] = re.compile(r"[ \t\r\n]*").match  # type: ignore[assignment]


def _skip_line(stream: BinaryIO) -> None:
    while (rest := stream.readline(MAX_ROW_BYTES)) and not rest.endswith(b"\n"):
        pass


class _Text:
    """The unread part of a file's text; only as much is in memory as the next element needs."""

    def __init__(self, file: InputFile, chunk_bytes: int) -> None:
        self._file = file
        self._chunk_bytes = chunk_bytes
        # Bytes that are not UTF-8 become surrogates: decoding strictly would end at the first bad element.
        self._decode = codecs.getincrementaldecoder("utf-8-sig")("surrogateescape").decode
        self._buffer = ""
        self._position = 0
        self._ended = False
        self.line = 1
        """The line where the unread part begins."""

    def next_character(self) -> str:
        """Return the next character that is not whitespace, without taking it; empty at the end."""
        while True:
            self._advance(_skip_whitespace(self._buffer, self._position).end())
            if self._position < len(self._buffer) or not self._read_more():
                return self._buffer[self._position : self._position + 1]

    def take_character(self) -> str:
        """Take the next character that is not whitespace; empty at the end."""
        character = self.next_character()
        self._advance(self._position + len(character))
        return character

    def take_element(self) -> UnparsedRow:
        """Take the next JSON value. Raises ``UnusableFile`` when none begins here."""
        self.next_character()
        while True:
            try:
                _, end = _raw_decode(self._buffer, self._position)
            except (ValueError, RecursionError) as error:
                if not self._read_more():
                    raise UnusableFile(
                        f"expected a JSON value in {self._file.name} at line {self.line}: {error}; what came before "
                        "was read, correct this one and publish the rest"
                    ) from error
                continue
            # A number at the end of the buffer may have more digits in the file.
            if end < len(self._buffer) or not self._read_more():
                break
        element = UnparsedRow(self.line, self._buffer[self._position : end].encode("utf-8", "surrogateescape"))
        self._advance(end)
        return element

    def _advance(self, position: int) -> None:
        self.line += self._buffer.count("\n", self._position, position)
        self._position = position

    def _read_more(self) -> bool:
        """Double the buffer; return ``False`` at the end of the file, or past ``MAX_ROW_BYTES``."""
        unread = self._buffer[self._position :]
        if self._ended or len(unread) > MAX_ROW_BYTES:
            return False
        with reading(self._file.name):
            chunk = self._file.stream.read(max(self._chunk_bytes, len(unread)))
        self._ended = not chunk
        self._buffer = unread + self._decode(chunk, self._ended)
        self._position = 0
        return True
