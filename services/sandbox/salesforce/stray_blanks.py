"""Blanks beside quotes in CSV, which are an error for their row and not for the file. salesforce_bulk.md §6, §13.8.

    A-1,"Berg" ,x    and    A-1, "Berg",x    →    A-1,"Berg",x, and the number of the record

Readers of CSV give up at such a value or take its quotes for letters; so it is mended before the text is read.
"""

import re
from typing import NamedTuple

_QUOTED = re.compile(rb'"(?:[^"]|"")*"')


class Mended(NamedTuple):
    """Text without blanks beside quotes, and the records that had any: 0 is the header. Blank lines do not count."""

    body: bytes
    records: frozenset[int]


def mend(body: bytes, delimiter: str) -> Mended:
    """Return the text as it is where it has no such blank, which costs next to nothing."""
    if not _is_stray(body) or not _is_stray(_QUOTED.sub(b'""', body)):
        return Mended(body, frozenset())
    to = re.escape(delimiter.encode())
    field = re.compile(rb'( *)("(?:[^"]|"")*")( *)(?=' + to + rb"|[\r\n]|\Z)|[^" + to + rb"\r\n]*")
    end = re.compile(rb"\r\n|[\r\n]|" + to)
    mended: list[bytes] = []
    records: set[int] = set()
    at = record = 0
    is_blank = True
    while True:
        found = field.match(body, at)
        assert found is not None
        text = _mended(found)
        if text != found[0]:
            records.add(record)
        ended = end.match(body, found.end())
        mended += (text, ended[0] if ended else b"")
        if ended is None:
            return Mended(b"".join(mended), frozenset(records))
        at = ended.end()
        is_blank = is_blank and not found[0] and ended[0] != delimiter.encode()
        if ended[0] != delimiter.encode():
            record += not is_blank
            is_blank = True


def _mended(found: re.Match[bytes]) -> bytes:
    """Return the text of one field: a quoted one alone, any other without its quotes if a blank is beside one."""
    if found[2] is not None:
        return found[2]
    return found[0].replace(b'"', b"") if _is_stray(found[0]) else found[0]


def _is_stray(text: bytes) -> bool:
    return b' "' in text or b'" ' in text
