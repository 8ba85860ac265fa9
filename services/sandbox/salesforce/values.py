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

_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
_TRUTH = {"true": True, "false": False, "1": True, "0": False}
_WHOLE = re.compile(r"[+-]?\d+(\.0*)?", re.ASCII)
_DECIMAL = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,3})?", re.ASCII)
_INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,3})?(Z|[+-]\d\d:?\d\d)", re.ASCII)
_DAY = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)


def refused(code: str, message: str, *fields: str) -> RowRefused:
    return RowRefused(RowError(code, message, fields))


def converter(field: Field) -> Convert:
    """Return the function that converts a cell to the field's value, or raises ``RowRefused``."""
    makers: dict[str, Callable[[Field], Convert]] = {
        "int": _int,
        "double": _double,
        "boolean": _boolean,
        "date": _date,
        "datetime": _datetime,
        "reference": _reference,
    }
    return makers.get(field.type, _text)(field)


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


def _int(field: Field) -> Convert:
    def convert(cell: Any) -> Value:
        text = str(cell)
        if isinstance(cell, bool) or not _WHOLE.fullmatch(text):
            raise _wrong_type(field, cell)
        return int(_within(field, float(text)))

    return convert


def _double(field: Field) -> Convert:
    def convert(cell: Any) -> Value:
        text = str(cell)
        if isinstance(cell, bool) or not _DECIMAL.fullmatch(text):
            raise _wrong_type(field, cell)
        return _within(field, float(text))

    return convert


def _within(field: Field, number: float) -> float:
    if abs(number) > field.max_number:
        message = f"{field.name}: value outside of valid range on numeric field: {number:.0f}"
        raise refused("NUMBER_OUTSIDE_VALID_RANGE", message, field.name)
    return number


def _boolean(field: Field) -> Convert:
    """Convert ``true``, ``false``, ``1``, ``0``. §6 [docs]"""

    def convert(cell: Any) -> Value:
        found = _TRUTH.get(str(cell).lower())
        if found is None:
            raise _wrong_type(field, cell)
        return found

    return convert


def _date(field: Field) -> Convert:
    """Convert ``yyyy-MM-dd``. §6 [docs]"""

    def convert(cell: Any) -> Value:
        try:
            if not _DAY.fullmatch(str(cell)):
                raise _wrong_type(field, cell)
            return date.fromisoformat(str(cell)).isoformat()
        except ValueError:
            raise _wrong_type(field, cell) from None

    return convert


def _datetime(field: Field) -> Convert:
    """Convert ``yyyy-MM-ddTHH:mm:ss.SSSZ``, or with ``±HH:mm``. §6 [docs]"""

    def convert(cell: Any) -> Value:
        try:
            return instant(str(cell))
        except ValueError:
            raise _wrong_type(field, cell) from None

    return convert


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


def _reference(field: Field) -> Convert:
    """Check the form of an id only; the table knows whether the record exists."""

    def convert(cell: Any) -> Value:
        found = ids.canonical(str(cell))
        if found is None:
            raise refused("MALFORMED_ID", f"{field.name}: id value of incorrect type: {cell}", field.name)
        return found

    return convert


def _wrong_type(field: Field, cell: Any) -> RowRefused:
    return refused("INVALID_TYPE_ON_FIELD_IN_RECORD", f"{field.name}: value not of required type: {cell}", field.name)
