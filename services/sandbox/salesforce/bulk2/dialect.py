"""CSV dialect of a job: ``columnDelimiter`` and ``lineEnding``. salesforce_bulk.md §4.1 [docs]."""

import csv
import io
import re
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
_QUOTED = re.compile(rb'"(?:[^"]|"")*"')

CSV = "text/csv;charset=UTF-8"
"""§4.1 [assumed: REST API habit]"""


class Dialect(msgspec.Struct, frozen=True, kw_only=True):
    """Dialect of uploads, and of results too [assumed]."""

    delimiter: ColumnDelimiter = "COMMA"
    line_ending: LineEnding = "LF"

    def check_line_ending(self, body: bytes) -> None:
        """Raise ``BatchRefused`` for another line ending outside quotes, wherever it is. §4.3, §13.8 [docs]"""
        if self._has_other_ends(body) and self._has_other_ends(_QUOTED.sub(b"", body)):
            message = f"LineEnding is invalid on user data. Current LineEnding setting is {self.line_ending}"
            raise BatchRefused("ClientInputError", message)

    def _has_other_ends(self, body: bytes) -> bool:
        if self.line_ending == "LF":
            return b"\r" in body
        pairs = body.count(b"\r\n")
        return not pairs == body.count(b"\n") == body.count(b"\r")

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
