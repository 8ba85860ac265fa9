"""Forms of the rows in a request: CSV, and for Bulk API 1.0 JSON and XML. §3.5"""

from collections.abc import Callable, Sequence
from typing import Any, Literal, NamedTuple

import msgspec

from sluice.destinations.salesforce import csv_rows, json_rows, xml_rows
from sluice.destinations.salesforce.record_fields import Value, decode_raws, decode_texts


class RowFormat(NamedTuple):
    """The form of a row."""

    decode: Callable[[msgspec.Raw], dict[str, Any]]
    """Decodes an event's data. Raises ``Rejection``."""
    encode_row: Callable[[tuple[str, ...], Sequence[Value]], bytes]
    """Encodes values in the order of the columns. Raises ``Rejection``."""
    is_table: bool = False
    """True where a row does not name its columns."""


ContentType = Literal["CSV", "JSON", "XML"]

ROW_FORMATS: dict[ContentType, RowFormat] = {
    "CSV": RowFormat(decode_texts, csv_rows.encode_row, is_table=True),
    "JSON": RowFormat(decode_raws, json_rows.encode_row),
    "XML": RowFormat(decode_texts, xml_rows.encode_row),
}
