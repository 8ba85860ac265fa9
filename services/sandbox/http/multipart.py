"""Parser for ``multipart/form-data`` bodies (RFC 7578). It reads a body whole and rejects one that was cut off."""

import logging
from collections.abc import Callable

from python_multipart.multipart import MultipartParser, parse_options_header

# The parser logs a warning for every odd body; without a handler it goes to standard error. The client gets an error.
logging.getLogger("python_multipart").addHandler(logging.NullHandler())

MULTIPART = "multipart/form-data"
Parts = dict[str, bytes]
"""Parts by name; the first of several with the same name. Fields and files are treated the same."""


def read_parts(content_type: str, body: bytes) -> Parts:
    """Return the parts of a body. Raises ``ValueError`` if it is not valid multipart."""
    kind, options = parse_options_header(content_type)
    if kind != MULTIPART.encode() or not options.get(b"boundary"):
        raise ValueError(f"expected Content-Type {MULTIPART} with a boundary")
    reader = _Reader()
    parser = MultipartParser(options[b"boundary"], reader.callbacks())  # type: ignore[arg-type]
    parser.write(body)
    parser.finalize()
    if not reader.is_complete:
        raise ValueError("the multipart body ends before its closing boundary")
    return reader.parts


class _Reader:
    """Collector of the parser's callbacks. It uses only the header Content-Disposition."""

    def __init__(self) -> None:
        self.parts: Parts = {}
        self.is_complete = False
        self._begin()

    def callbacks(self) -> dict[str, Callable[..., None]]:
        return {
            "on_part_begin": self._begin,
            "on_header_field": self._add_header_name,
            "on_header_value": self._add_header_value,
            "on_header_end": self._end_header,
            "on_part_data": self._add_data,
            "on_part_end": self._end,
            "on_end": self._complete,
        }

    def _begin(self) -> None:
        self._name: str | None = None
        self._header_name = self._header_value = b""
        self._data: list[bytes] = []

    def _add_header_name(self, data: bytes, start: int, end: int) -> None:
        self._header_name += data[start:end]

    def _add_header_value(self, data: bytes, start: int, end: int) -> None:
        self._header_value += data[start:end]

    def _end_header(self) -> None:
        if self._header_name.lower() == b"content-disposition":
            name = parse_options_header(self._header_value)[1].get(b"name")
            self._name = None if name is None else name.decode("utf-8", "replace")
        self._header_name = self._header_value = b""

    def _add_data(self, data: bytes, start: int, end: int) -> None:
        self._data.append(data[start:end])

    def _end(self) -> None:
        if self._name is not None:
            self.parts.setdefault(self._name, b"".join(self._data))

    def _complete(self) -> None:
        self.is_complete = True
