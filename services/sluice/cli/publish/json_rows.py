"""Rows of JSON: one object a line, or one array of objects."""

import codecs
import json
import re
from collections.abc import Callable, Iterator
from typing import BinaryIO, NamedTuple

import msgspec

from sluice.cli.publish.input_file import InputFile, readable
from sluice.cli.publish.rows import BadRow, Row, UnusableFile, shown

MAX_ROW_BYTES = 16 * 1024 * 1024
"""The longest line, and the longest element of an array, that is read into memory."""

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


class Encoded(NamedTuple):
    """One record of the file as it stands there."""

    line: int
    text: bytes


def json_lines(file: InputFile) -> Iterator[Encoded | BadRow]:
    """The lines that are not blank. Raises :class:`~sluice.cli.publish.rows.UnusableFile`."""
    line = 0
    while True:
        line += 1
        with readable(file.name):
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
            yield BadRow(line, f"expected at most {MAX_ROW_BYTES} bytes in a line, got more", shown(text))
        elif text.strip():
            yield Encoded(line, text)


def json_elements(file: InputFile, chunk_bytes: int = 256 * 1024) -> Iterator[Encoded]:
    """The elements of an array, of which ``chunk_bytes``, or one element, are in memory at a time.

    Raises :class:`UnusableFile`. Where an element ends is known only when it is whole: after one
    that is no JSON nothing more can be read.
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


def json_row(encoded: Encoded) -> Row | BadRow:
    """``encoded`` as an object whose values stay encoded."""
    try:
        encoded.text.decode()  # the decoder below does not look into texts
        return Row(encoded.line, _decode_fields(encoded.text))
    except UnicodeDecodeError:
        return BadRow(encoded.line, "expected text in UTF-8, got another encoding", shown(encoded.text))
    except (msgspec.DecodeError, RecursionError) as error:
        return BadRow(encoded.line, f"expected a JSON object: {error}", shown(encoded.text))


_decode_fields = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
_raw_decode = json.JSONDecoder().raw_decode
_skip_whitespace: Callable[[str, int], re.Match[str]] = re.compile(r"[ \t\r\n]*").match  # type: ignore[assignment]


def _skip_line(stream: BinaryIO) -> None:
    while (rest := stream.readline(MAX_ROW_BYTES)) and not rest.endswith(b"\n"):
        pass


class _Text:
    """The unread part of a file's text, of which only as much is in memory as the next element needs."""

    def __init__(self, file: InputFile, chunk_bytes: int) -> None:
        self._file = file
        self._chunk_bytes = chunk_bytes
        # Bytes that are no UTF-8 become surrogates, so that one bad element harms no other.
        self._decode = codecs.getincrementaldecoder("utf-8-sig")("surrogateescape").decode
        self._buffer = ""
        self._position = 0
        self._ended = False
        self.line = 1
        """Where the unread part begins."""

    def next_character(self) -> str:
        """The next character that is no whitespace; empty at the end."""
        while True:
            self._advance(_skip_whitespace(self._buffer, self._position).end())
            if self._position < len(self._buffer) or not self._read_more():
                return self._buffer[self._position : self._position + 1]

    def take_character(self) -> str:
        """The same, taken."""
        character = self.next_character()
        self._advance(self._position + len(character))
        return character

    def take_element(self) -> Encoded:
        """The next JSON value. Raises :class:`~sluice.cli.publish.rows.UnusableFile` when none begins here."""
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
            # A number at the end of what was read may go on.
            if end < len(self._buffer) or not self._read_more():
                break
        element = Encoded(self.line, self._buffer[self._position : end].encode("utf-8", "surrogateescape"))
        self._advance(end)
        return element

    def _advance(self, position: int) -> None:
        self.line += self._buffer.count("\n", self._position, position)
        self._position = position

    def _read_more(self) -> bool:
        """Add to the buffer, as much again as is in it; ``False`` at the end of the file or of our patience."""
        unread = self._buffer[self._position :]
        if self._ended or len(unread) > MAX_ROW_BYTES:
            return False
        with readable(self._file.name):
            chunk = self._file.stream.read(max(self._chunk_bytes, len(unread)))
        self._ended = not chunk
        self._buffer = unread + self._decode(chunk, self._ended)
        self._position = 0
        return True
