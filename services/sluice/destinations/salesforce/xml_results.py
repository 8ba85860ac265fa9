"""Row results as XML, read piece by piece. §3.7

A document type is refused, and with it every entity but XML's own: some lines of them unpack to gigabytes.
"""

from collections.abc import AsyncIterator
from typing import NamedTuple, NoReturn
from xml.parsers.expat import ExpatError, ParserCreate

from sluice.destinations.salesforce.row_errors import RowError
from sluice.destinations.vendor_jobs import ResultsIncomplete

MAX_TEXT_CHARACTERS = 1_000_000
"""Characters of one element. [assumed]"""


class XmlResult(NamedTuple):
    """The result of one row; of several errors the first."""

    record_id: str | None
    success: bool
    created: bool
    error: RowError | None


async def read_xml_results(pieces: AsyncIterator[bytes]) -> AsyncIterator[XmlResult]:
    """Yield the results in ``pieces``; nothing for an empty answer.

    Raises :class:`~sluice.destinations.vendor_jobs.ResultsIncomplete` for what is no XML, or is cut off.
    """
    reader = _Reader()
    is_empty = True
    try:
        async for piece in pieces:
            is_empty = is_empty and not piece.strip()
            reader.parser.Parse(piece, False)
            for result in reader.take():
                yield result
        if not is_empty:
            reader.parser.Parse(b"", True)
    except (ExpatError, LookupError) as error:  # the latter for an unknown encoding
        raise ResultsIncomplete(f"expected results as XML: {error}") from error


class _Reader:
    """Reader of elements as they begin and end."""

    def __init__(self) -> None:
        self.parser = ParserCreate()
        self.parser.buffer_text = True
        self.parser.StartDoctypeDeclHandler = self._refuse
        self.parser.StartElementHandler = self._start
        self.parser.EndElementHandler = self._end
        self.parser.CharacterDataHandler = self._add_text
        self._results: list[XmlResult] = []
        self._texts: dict[str, str] = {}
        self._errors: list[RowError] = []
        self._fields: list[str] = []
        self._text = ""

    def take(self) -> list[XmlResult]:
        """Return the results that ended since the last time."""
        taken, self._results = self._results, []
        return taken

    def _refuse(self, *_: object) -> NoReturn:
        raise ResultsIncomplete("expected XML without a document type")

    def _start(self, name: str, _: dict[str, str]) -> None:
        self._text = ""
        if _local(name) == "result":
            self._texts, self._errors, self._fields = {}, [], []

    def _add_text(self, text: str) -> None:
        self._text += text
        if len(self._text) > MAX_TEXT_CHARACTERS:
            raise ResultsIncomplete(f"expected elements of at most {MAX_TEXT_CHARACTERS} characters")

    def _end(self, name: str) -> None:
        text, self._text = self._text.strip(), ""
        match _local(name):
            case "fields":
                self._fields.append(text)
            case "errors":
                texts = self._texts
                self._errors.append(
                    RowError(texts.pop("statusCode", ""), texts.pop("message", ""), tuple(filter(None, self._fields)))
                )
                self._fields = []
            case "result":
                self._results.append(self._result())
            case other:
                self._texts[other] = text

    def _result(self) -> XmlResult:
        texts = self._texts
        return XmlResult(
            texts.get("id") or None,
            texts.get("success") == "true",
            texts.get("created") == "true",
            self._errors[0] if self._errors else None,
        )


def _local(name: str) -> str:
    return name.rpartition(":")[2]
