"""Conversion of cells to values, by the type of the field. salesforce_bulk.md §5 codes, §6 formats.

A cell is a CSV text or a JSON value. Empty texts and nulls are not converted: the writer treats them as "leave as is"
and "set null" (§6). Messages are the platform's usual ones [assumed]; a client must not read them (§11).
"""

import re
from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any

from sandbox.clock import rfc3339
from sandbox.salesforce import ids
from sandbox.salesforce.objects import Field
from sandbox.salesforce.results import RowError, RowRefused

Value = str | int | float | bool | None
Convert = Callable[[Any], Value]
WRONG_TYPE = "INVALID_TYPE_ON_FIELD_IN_RECORD"

_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
_TRUTH = {"true": True, "false": False, "1": True, "0": False}
_WHOLE = re.compile(r"[+-]?\d+(\.0*)?", re.ASCII)
_DECIMAL = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,3})?", re.ASCII)
_INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?(Z|[+-]\d\d:?\d\d)", re.ASCII)
_DAY = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)


def refused(code: str, message: str, *fields: str) -> RowRefused:
    return RowRefused(RowError(code, message, fields))


def converter(field: Field) -> Convert:
    """Return the function that converts a cell to the field's value, or raises ``RowRefused``."""
    convert_cell = _CONVERTERS.get(field.type)
    if convert_cell is None:
        return _text(field)

    def convert(cell: Any) -> Value:
        try:
            return convert_cell(cell, field)
        except ValueError:
            raise _wrong_type(field, cell) from None

    return convert


def _text(field: Field) -> Convert:
    max_length, name = field.max_length, field.name
    check = _text_check(field)

    def convert(cell: Any) -> Value:
        found = cell if type(cell) is str else _number_text(cell, field)
        if len(found) > max_length:
            raise refused("STRING_TOO_LONG", f"{name}: data value too large: {found} (max length={max_length})", name)
        if check is not None:
            check(found)
        return found

    return convert


def _number_text(cell: Any, field: Field) -> str:
    """Return a JSON number or boolean in a text field as its text. [assumed]"""
    if isinstance(cell, int | float):
        return as_text(cell)
    raise _wrong_type(field, cell)


def _text_check(field: Field) -> Callable[[str], None] | None:
    name = field.name
    if field.type == "email":
        return _checked_by(_EMAIL, "INVALID_EMAIL_ADDRESS", f"{name}: invalid email address", name)
    if field.values:
        choices = re.compile("|".join(re.escape(value) for value in field.values))
        message = f"{name}: bad value for restricted picklist field"
        return _checked_by(choices, "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST", message, name)
    if field.pattern:
        message = f"{name}: expected {field.pattern}, found"
        return _checked_by(re.compile(field.pattern), "FIELD_CUSTOM_VALIDATION_EXCEPTION", message, name)
    return None


def _checked_by(pattern: re.Pattern[str], code: str, message: str, name: str) -> Callable[[str], None]:
    def check(found: str) -> None:
        if not pattern.fullmatch(found):
            raise refused(code, f"{message}: {found}", name)

    return check


def _int(cell: Any, field: Field) -> Value:
    return int(_number(cell, field, _WHOLE))


def _double(cell: Any, field: Field) -> Value:
    return _number(cell, field, _DECIMAL)


def _number(cell: Any, field: Field, form: re.Pattern[str]) -> float:
    if isinstance(cell, bool) or not form.fullmatch(str(cell)):
        raise ValueError(cell)
    number = float(cell)
    if abs(number) > field.max_number:
        message = f"{field.name}: value outside of valid range on numeric field: {number:.0f}"
        raise refused("NUMBER_OUTSIDE_VALID_RANGE", message, field.name)
    return number


def _boolean(cell: Any, _: Field) -> Value:
    """Convert ``true``, ``false``, ``1``, ``0``. §6 [docs]"""
    text = str(cell).lower()
    if text not in _TRUTH:
        raise ValueError(cell)
    return _TRUTH[text]


def _date(cell: Any, _: Field) -> Value:
    """Convert ``yyyy-MM-dd``. §6 [docs]"""
    if not _DAY.fullmatch(str(cell)):
        raise ValueError(cell)
    return date.fromisoformat(str(cell)).isoformat()


def _datetime(cell: Any, _: Field) -> Value:
    """Convert ``yyyy-MM-ddTHH:mm:ss.SSSZ``, or with ``±HH:mm``. §6 [docs] Microseconds are cut. §13"""
    return instant(str(cell))


def _reference(cell: Any, field: Field) -> Value:
    """Check the form of an id only; the table knows whether the record exists."""
    found = ids.canonical(str(cell))
    if found is None:
        raise refused("MALFORMED_ID", f"{field.name}: id value of incorrect type: {cell}", field.name)
    return found


def instant(text: str) -> str:
    """Return the instant in UTC, as stored and shown: ``2024-11-21T09:28:59.000Z``. Raises ``ValueError``."""
    if not _INSTANT.fullmatch(text):
        raise ValueError(text)
    try:
        found = datetime.fromisoformat(text).astimezone(UTC)
    except OverflowError:
        raise ValueError(text) from None
    return f"{found:%Y-%m-%dT%H:%M:%S}.{found.microsecond // 1000:03d}Z"


def instant_at(seconds: float) -> str:
    return rfc3339(int(seconds * 1000))


def json_instant(text: str) -> str:
    """Return the instant ``2024-11-21T09:28:59.000Z`` as ``2024-11-21T09:28:59.000+0000``. §3.1 [docs]"""
    return f"{text[:-1]}+0000"


def as_text(value: Value) -> str:
    """Return a value as CSV shows it: empty for null, ``true`` and ``false``, numbers with their fraction. [assumed]"""
    if value is None:
        return ""
    return str(value).lower() if isinstance(value, bool) else str(value)


def _wrong_type(field: Field, cell: Any) -> RowRefused:
    return refused(WRONG_TYPE, f"{field.name}: value not of required type: {cell}", field.name)


_CONVERTERS: dict[str, Callable[[Any, Field], Value]] = {
    "int": _int,
    "double": _double,
    "boolean": _boolean,
    "date": _date,
    "datetime": _datetime,
    "reference": _reference,
}
"""Converters by type, which raise ``ValueError`` for a value of another type; all other types are texts"""
