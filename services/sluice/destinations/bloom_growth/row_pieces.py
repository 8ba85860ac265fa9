"""Elements of a JSON array, decoded while it comes: a meeting's list may have 84 MB, and is not paged.

1. Pieces collect until a megabyte is there.
2. It is cut after the last ``}`` before a ``,`` and a ``{`` where everything before is a whole array: inside a text or
   a nested object it would not decode. So nothing has to be parsed twice but the tail.
3. The rest waits for more. The last rest ends with the array itself.
"""

import re
from collections.abc import Callable, Iterator, Sequence

import msgspec

from sluice.destinations.bloom_growth.answers import Record, decode_rows
from sluice.destinations.bloom_growth.assumptions import MAX_PIECE_BYTES

_MAX_CUTS_TRIED = 50
_BOUNDARY = re.compile(rb"\}\s*(,)\s*(?=\{)")
_TAIL_BYTES = 64 * 1024


class RowPieces:
    """Decoder of one array that comes in pieces; gives each element to ``take``.

    Raises ``msgspec.DecodeError`` for what is no array of objects.
    """

    def __init__(self, take: Callable[[Record], None], piece_bytes: int = MAX_PIECE_BYTES) -> None:
        self._take = take
        self._piece_bytes = piece_bytes
        self._wanted_bytes = piece_bytes
        self._waiting = bytearray()
        self._begun = False

    def add(self, piece: bytes) -> None:
        """Add ``piece``, and decode what is whole."""
        self._waiting += piece
        if len(self._waiting) < self._wanted_bytes:
            return
        self._begin()
        for cut in self._cuts():
            try:
                rows = decode_rows(b"[%b]" % bytes(self._waiting[:cut]))
            except msgspec.DecodeError:
                continue
            del self._waiting[: cut + 1]
            self._wanted_bytes = self._piece_bytes
            self._give(rows)
            return
        # No element ends here yet; look again when there is twice as much, so that looking stays cheap.
        self._wanted_bytes = 2 * len(self._waiting)

    def end(self) -> None:
        """Decode the rest, the end of the array in it."""
        self._begin()
        self._give(decode_rows(b"[%b" % bytes(self._waiting)))

    def _begin(self) -> None:
        if self._begun:
            return
        text = self._waiting.lstrip()
        if not text.startswith(b"["):
            raise msgspec.DecodeError("expected an array")
        self._waiting, self._begun = text[1:], True

    def _cuts(self) -> Iterator[int]:
        """Yield the places of commas that may stand between two elements, the last one first."""
        start = max(0, len(self._waiting) - _TAIL_BYTES)
        found = [match.start(1) for match in _BOUNDARY.finditer(self._waiting, start)]
        yield from found[: -_MAX_CUTS_TRIED - 1 : -1]

    def _give(self, rows: Sequence[Record]) -> None:
        for row in rows:
            self._take(row)
