"""``WHERE`` conditions as tests of a record.

Texts are equal letter by letter [assumed], keys without case unless their field tells it apart (§13.10 [docs]);
``LIKE`` ignores case. A null equals null only, is unequal to all else, and is neither less nor greater than anything.
"""

import operator
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from lark import Token

from sandbox.salesforce import ids
from sandbox.salesforce.query_fields import QueryField, find_field
from sandbox.salesforce.refusals import QueryRefused
from sandbox.salesforce.soql import Combined, Comparison, Condition
from sandbox.salesforce.table import Record, Table
from sandbox.salesforce.values import Value, instant

Predicate = Callable[[int, Record], bool]

_OPERATORS: dict[str, Callable[[Any, Any], bool]] = {
    "=": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
_LITERALS = {"int": "NUMBER", "double": "NUMBER", "boolean": "BOOLEAN", "date": "DATE", "datetime": "DATETIME"}


def predicate(condition: Condition, table: Table, tables: Mapping[str, Table]) -> Predicate:
    """Return the test that a condition describes. Raises ``QueryRefused``."""
    if isinstance(condition, Comparison):
        return _compared(condition, table, tables)
    parts = [predicate(one, table, tables) for one in condition.conditions]
    if condition.operator == "NOT":
        return lambda serial, record: not parts[0](serial, record)
    if condition.operator == "AND":
        return lambda serial, record: all(part(serial, record) for part in parts)
    return lambda serial, record: any(part(serial, record) for part in parts)


def candidates(condition: Condition | None, table: Table, tables: Mapping[str, Table]) -> Iterable[int] | None:
    """Return, from an index, the serials of the living records that can match; null when every record can."""
    if isinstance(condition, Combined) and condition.operator == "AND":
        found = (candidates(one, table, tables) for one in condition.conditions)
        return next((one for one in found if one is not None), None)
    if not isinstance(condition, Comparison) or condition.sign not in ("=", "IN"):
        return None
    field = find_field(condition.field, table, tables)
    values = [_value(literal, field) for literal in condition.literals]
    if None in values:
        return None
    if field.name == "Id":
        return sorted({serial for value in values if (serial := table.serial_of(str(value))) is not None})
    if field.slot is None or not table.kind.all_fields[field.slot].external_id:
        return None
    return sorted({serial for value in values for serial in table.find(field.slot, value)})


def _compared(condition: Comparison, table: Table, tables: Mapping[str, Table]) -> Predicate:
    field = find_field(condition.field, table, tables)
    if condition.sign == "LIKE":
        return _like(condition, field)
    values = [_value(literal, field) for literal in condition.literals]
    read, value = field.read, values[0]
    if field.ignores_case and condition.sign in ("=", "!=", "IN", "NOT IN"):
        values = [_folded(one) for one in values]
        read, value = (lambda serial, record: _folded(field.read(serial, record))), values[0]
    if condition.sign in ("IN", "NOT IN"):
        is_in = condition.sign == "IN"
        return lambda serial, record: (read(serial, record) in values) == is_in
    compare = _OPERATORS[condition.sign]
    if condition.sign in ("=", "!="):
        return lambda serial, record: compare(read(serial, record), value)
    if value is None or field.type == "boolean":
        raise QueryRefused("INVALID_FIELD", f"invalid operator on {field.name}")
    return lambda serial, record: (found := read(serial, record)) is not None and compare(found, value)


def _folded(value: Value) -> Value:
    return value.casefold() if isinstance(value, str) else value


def _like(condition: Comparison, field: QueryField) -> Predicate:
    """Return the test of a ``LIKE``: ``%`` stands for any characters, ``_`` for one."""
    literal = condition.literals[0]
    if literal.type != "TEXT" or field.type in _LITERALS:
        raise QueryRefused("INVALID_FIELD", f"invalid operator on {field.name}")
    parts = (".*" if letter == "%" else "." if letter == "_" else re.escape(letter) for letter in literal)
    fits = re.compile("".join(parts), re.IGNORECASE | re.DOTALL).fullmatch
    return lambda serial, record: fits(str(field.read(serial, record) or "")) is not None


def _value(literal: Token, field: QueryField) -> Value:
    """Return a literal as the field stores its values. Raises ``QueryRefused`` for a literal of another type."""
    if literal.type == "NULL":
        return None
    if literal.type != _LITERALS.get(field.type, "TEXT"):
        raise QueryRefused("INVALID_FIELD", f"filter criterion for field '{field.name}' must be of type {field.type}")
    if field.type == "boolean":
        return literal.upper() == "TRUE"
    if literal.type == "NUMBER":
        return float(literal)
    if literal.type == "DATETIME":
        return _instant(literal)
    if field.type == "reference":
        found = ids.canonical(literal)
        if found is None:
            raise QueryRefused("INVALID_QUERY_FILTER_OPERATOR", f"invalid ID field: {literal}")
        return found
    return str(literal)


def _instant(text: str) -> str:
    try:
        return instant(text)
    except ValueError:
        raise QueryRefused("MALFORMED_QUERY", f"no such instant: {text}") from None
