"""Rows and tables as CSV. §6, §13 row 8

Comma, LF, UTF-8 without BOM; a cell with a comma, a quote or an end of line is quoted, its quotes doubled. Blanks are
kept where they are. A cell that is empty leaves its field as it is; ``#N/A`` clears it.
"""

import re
from collections.abc import Sequence

from sluice.destinations.contract import Rejection
from sluice.destinations.salesforce.record_fields import MAX_FIELD_CHARACTERS, MAX_RECORD_CHARACTERS, Value

NULL = "#N/A"
_BOOLEANS = ("false", "true")
_has_control = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ufffe\uffff]").search
_is_special = re.compile('[",\r\n]').search


def encode_row(columns: tuple[str, ...], values: Sequence[Value]) -> bytes:
    """Return the row with ``values``, in the order of ``columns``. Raises ``Rejection``."""
    cells = [value if type(value) is str else value_text(value) for value in values]
    row = ",".join(cells)
    # Nearly every row needs no more: what is below asks cell by cell, and takes ten times as long.
    if (
        row.isprintable()
        and '"' not in row
        and row.count(",") == len(cells) - 1
        and len(row) <= MAX_FIELD_CHARACTERS
        and row.count(NULL) == values.count(None)
    ):
        return row.encode()
    for column, cell, value in zip(columns, cells, values, strict=True):
        check_text(column, cell)
        if cell == NULL and value is not None:
            raise Rejection(
                "bad-value",
                f"field {column}: expected another text than {NULL}, which clears a field in CSV; send null to clear "
                "it, or use `content_type: JSON` of salesforce_bulk1",
            )
    check_record(cells)
    return ",".join([_quoted(cell) if _is_special(cell) else cell for cell in cells]).encode()


def value_text(value: Value) -> str:
    """Return ``value`` as the text of a cell."""
    kind = type(value)
    if kind is bool:
        return _BOOLEANS[value is True]
    return NULL if value is None else str(value)


def check_text(column: str, text: str) -> None:
    """Raise ``Rejection`` for a text that no field can hold. §7, §13 row 9"""
    if len(text) > MAX_FIELD_CHARACTERS:
        raise Rejection(
            "too-large",
            f"field {column}: expected at most {MAX_FIELD_CHARACTERS} characters, got {len(text)}; shorten it upstream",
        )
    control = _has_control(text)
    if control is not None:
        raise Rejection(
            "bad-value",
            f"field {column}: expected no control characters but tab and line breaks, got U+{ord(control[0]):04X} at "
            f"position {control.start()}; remove it upstream",
        )


def check_record(texts: Sequence[str]) -> None:
    """Raise ``Rejection`` for a record that is too long as a whole. §7"""
    characters = sum(map(len, texts))
    if characters > MAX_RECORD_CHARACTERS:
        raise Rejection(
            "too-large",
            f"expected at most {MAX_RECORD_CHARACTERS} characters in all fields, got {characters}; split it upstream",
        )


def _quoted(cell: str) -> str:
    return '"' + cell.replace('"', '""') + '"'
