"""Rows as JSON objects. §3.5, §6

A parent is an object: ``"Account": {"Ext__c": "A-1"}``. [docs Relationship Fields in Records] Where parents of several
types are possible, it must name its type [docs Valid XML and JSON Records], as ``attributes``: [assumed], the REST
API's way.
"""

from collections.abc import Sequence
from typing import Any

import msgspec

from sluice.destinations.salesforce.api_names import read_column
from sluice.destinations.salesforce.csv_rows import check_record, check_text, value_text
from sluice.destinations.salesforce.record_fields import Value

_encode = msgspec.json.Encoder().encode


def encode_row(columns: tuple[str, ...], values: Sequence[Value]) -> bytes:
    """Return the object with ``values``, in the order of ``columns``. Raises ``Rejection``."""
    row: dict[str, Any] = {}
    for name, value in zip(columns, values, strict=True):
        column = read_column(name)
        if column is None or not column.relationship:
            row[name] = value
        else:
            type_ = {"attributes": {"type": column.parent_type}} if column.parent_type else {}
            row[column.relationship] = {**type_, column.field: value}
    _check(columns, values)
    return _encode(row)


def _check(columns: tuple[str, ...], values: Sequence[Value]) -> None:
    texts = [_text(value) for value in values]
    for column, text in zip(columns, texts, strict=True):
        check_text(column, text)
    check_record(texts)


def _text(value: Value) -> str:
    if isinstance(value, msgspec.Raw):
        return bytes(value).decode()
    return "" if value is None else value_text(value)
