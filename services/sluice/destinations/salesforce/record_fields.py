"""Fields of a record, read from an event's data as columns and values. §6, §12, §13

``{"LastName": "Lind", "Account": {"Ext__c": "A-1"}}`` has the columns ``LastName`` and ``Account.Ext__c``. A field that
is absent is no column; ``null`` clears one; an empty text does as the setting ``empty_text`` says.
"""

from typing import Any, NamedTuple, NoReturn

import msgspec

from sluice.destinations.contract import Rejection

Value = str | int | bool | msgspec.Raw | None
"""A value: a number with a fraction or an exponent is a ``Raw``, or a text, with the digits that it came in."""

MAX_FIELD_CHARACTERS = 131_072
MAX_RECORD_CHARACTERS = 400_000
MAX_FIELDS = 5_000
MAX_HEADER_CHARACTERS = 32_000
"""§7, §12 [docs]"""

_NESTED = frozenset({dict, list})

EMPTY_TEXT = b'""'
"""The only form of an empty text in JSON."""
CLEARED = "sent as null, because an empty text clears a field (setting empty_text): {}"
"""The receipt's warning. §13 row 19"""


class Fields(NamedTuple):
    """Columns of a record and their values, in the order of the data."""

    names: tuple[str, ...]
    values: list[Value]
    cleared: list[str]
    """The columns whose text was empty and is sent as null."""


def read_fields(data: dict[str, Any], *, clears: bool) -> Fields:
    """Return the fields in ``data``; with ``clears`` an empty text clears a field. Raises ``Rejection``."""
    flat = list(data.values())
    # Nearly every record is flat and full; this asks about all of its values in one go.
    if "" not in flat and _NESTED.isdisjoint(map(type, flat)):
        return Fields(tuple(data), flat, [])
    names: list[str] = []
    values: list[Value] = []
    cleared: list[str] = []
    for name, value in data.items():
        column = name
        if type(value) is dict:
            column, value = _parent(name, value)  # the loop's own names are those of a flat field
        if value == "":
            if not clears:
                continue
            cleared.append(column)
            value = None
        elif type(value) is list:
            _reject(name, f"a list of {len(value)}")
        names.append(column)
        values.append(value)
    return Fields(tuple(names), values, cleared)


def decode_texts(data: msgspec.Raw) -> dict[str, Any]:
    """Decode ``data`` with fractions as text. Raises ``Rejection``."""
    return _decode(_texts, data)


def decode_raws(data: msgspec.Raw) -> dict[str, Any]:
    """Decode ``data`` with fractions as the bytes that they came in. Raises ``Rejection``."""
    return _decode(_raws, data)


_texts = msgspec.json.Decoder(dict[str, Any], float_hook=str)
_raws = msgspec.json.Decoder(dict[str, Any], float_hook=msgspec.Raw)


def _decode(decoder: "msgspec.json.Decoder[dict[str, Any]]", data: msgspec.Raw) -> dict[str, Any]:
    try:
        return decoder.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Rejection("bad-data", f"expected data to be an object of fields: {error}; correct it upstream") from error


def _parent(name: str, fields: dict[str, Any]) -> tuple[str, Any]:
    """Return the column and the value of a parent that is named by one field."""
    if len(fields) != 1:
        _reject(name, f"an object with {len(fields)} fields")
    ((field, value),) = fields.items()
    if type(value) in (dict, list):
        _reject(f"{name}.{field}", "an object" if type(value) is dict else "a list")
    return f"{name}.{field}", value


def _reject(name: str, got: str) -> NoReturn:
    raise Rejection(
        "bad-value",
        f"field {name[:80]!r}: expected a text, a number, a boolean, null, or a parent by one field, such as "
        f'{{"Account": {{"Ext__c": "A-1"}}}}, got {got}; correct it upstream',
    )
