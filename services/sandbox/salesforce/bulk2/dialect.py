"""CSV dialect of a job: ``columnDelimiter`` and ``lineEnding``. salesforce_bulk.md §4.1 [docs]."""

import csv
import io
from collections.abc import Iterable, Sequence
from typing import Literal

import msgspec

from sandbox.salesforce.refusals import BatchRefused

ColumnDelimiter = Literal["COMMA", "TAB", "PIPE", "SEMICOLON", "CARET", "BACKQUOTE"]
LineEnding = Literal["LF", "CRLF"]

DELIMITERS: dict[ColumnDelimiter, str] = {
    "COMMA": ",",
    "TAB": "\t",
    "PIPE": "|",
    "SEMICOLON": ";",
    "CARET": "^",
    "BACKQUOTE": "`",
}
CSV = "text/csv;charset=UTF-8"
"""§4.1 [assumed: REST API habit]"""


class Dialect(msgspec.Struct, frozen=True, kw_only=True):
    """Dialect of uploads, and of results too [assumed]."""

    delimiter: ColumnDelimiter = "COMMA"
    line_ending: LineEnding = "LF"

    def check_line_ending(self, body: bytes) -> None:
        """Raise ``BatchRefused`` for a mismatch. §4.3 [docs]; found by the end of the header row [assumed]"""
        header, newline, _ = body.partition(b"\n")
        is_crlf = header.endswith(b"\r")
        if (newline and is_crlf != (self.line_ending == "CRLF")) or (not newline and b"\r" in header):
            message = f"LineEnding is invalid on user data. Current LineEnding setting is {self.line_ending}"
            raise BatchRefused("ClientInputError", message)

    @property
    def line_end(self) -> str:
        return "\r\n" if self.line_ending == "CRLF" else "\n"

    def write(self, header: Sequence[str], rows: Iterable[Sequence[object]]) -> bytes:
        """Quote every value. §4.1 [docs]"""
        text = io.StringIO(newline="")
        delimiter = DELIMITERS[self.delimiter]
        writer = csv.writer(text, delimiter=delimiter, quoting=csv.QUOTE_ALL, lineterminator=self.line_end)
        writer.writerow(header)
        writer.writerows(rows)
        return text.getvalue().encode()
