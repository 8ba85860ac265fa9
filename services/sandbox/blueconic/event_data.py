"""The data of a timeline event: checked against its type, then changed by rules. blueconic.md §5.

values of a primitive   ADD, SET, SET_IF_EMPTY
nested values           SET, UPSERT, UPDATE, DELETE, matched by the nested properties that are identifiers
"""

from collections.abc import Iterator, Mapping
from typing import Any, Literal

import msgspec

from sandbox.blueconic.event_types import EventProperty

Strategy = Literal["ADD", "SET", "SET_IF_EMPTY", "UPSERT", "UPDATE", "DELETE"]
Data = dict[str, list[Any]]
"""Values by property id; a nested value is a ``Data`` of its own."""

_PRIMITIVE = frozenset({"ADD", "SET", "SET_IF_EMPTY"})
_NESTED = frozenset({"SET", "UPSERT", "UPDATE", "DELETE"})
_UNTYPED = EventProperty()


class NestedRule(msgspec.Struct, kw_only=True):
    """One property of a nested value. Every example nests one level deep. [assumed: no deeper]"""

    id: str = ""
    values: list[str | bool | int | float] = []


class EventRule(msgspec.Struct, kw_only=True):
    """One change to one property of an event. The default strategy is ``SET``. [assumed]"""

    id: str = ""
    values: list[str | bool | int | float | list[NestedRule]] = []
    strategy: Strategy = "SET"


def problems(rules: list[EventRule], properties: Mapping[str, EventProperty]) -> Iterator[str]:
    """Yield the errors in an event's data as plain sentences, ``#/total_revenue/0: …``. [spec] form"""
    for rule in rules:
        defined = properties.get(rule.id)
        nested = _is_nested(rule) or bool(defined and defined.nested)
        allowed = _NESTED if nested else _PRIMITIVE
        if rule.strategy not in allowed:
            yield f"#/{rule.id}: expected strategy: {', '.join(sorted(allowed))}, found: {rule.strategy}"
        for index, value in enumerate(rule.values):
            place = f"#/{rule.id}/{index}"
            if isinstance(value, list):
                yield from _nested_problems(place, value, defined)
            elif nested:
                yield f"{place}: expected type: JSONArray, found: {_type_name(value)}"
            elif defined is not None:
                yield from _type_problems(place, value, defined)


def apply(rules: list[EventRule], data: Data, properties: Mapping[str, EventProperty]) -> bool:
    """Change ``data`` in place; return whether anything changed. The rules must be free of ``problems``."""
    changed = False
    for rule in rules:
        before = data.get(rule.id, [])
        nested = properties.get(rule.id, _UNTYPED).nested
        after = _changed_nested(rule, before, nested) if _is_nested(rule) else _changed(rule, before)
        if after != before:
            changed = True
            data[rule.id] = after
    return changed


def _is_nested(rule: EventRule) -> bool:
    return any(isinstance(value, list) for value in rule.values)


def _changed(rule: EventRule, before: list[Any]) -> list[Any]:
    match rule.strategy:
        case "ADD":
            return before + [value for value in rule.values if value not in before]
        case "SET_IF_EMPTY":
            return before or rule.values
        case _:
            return rule.values


def _changed_nested(rule: EventRule, before: list[Any], nested: Mapping[str, EventProperty]) -> list[Any]:
    given = [_nested_data(value) for value in rule.values if isinstance(value, list)]
    if rule.strategy == "SET":
        return given
    identifiers = [name for name, defined in nested.items() if defined.identifier]
    after = list(before)
    for value in given:
        found = [index for index, other in enumerate(after) if _is_same(other, value, identifiers)]
        if rule.strategy == "DELETE":
            after = [other for index, other in enumerate(after) if index not in found]
        elif found:
            after = [{**other, **value} if index in found else other for index, other in enumerate(after)]
        elif rule.strategy == "UPSERT":
            after.append(value)
    return after


def _is_same(one: Data, other: Data, identifiers: list[str]) -> bool:
    return bool(identifiers) and all(one.get(name) == other.get(name) for name in identifiers)


def _nested_data(rules: list[NestedRule]) -> Data:
    return {rule.id: list(rule.values) for rule in rules}


def _nested_problems(place: str, rules: list[NestedRule], defined: EventProperty | None) -> Iterator[str]:
    if defined is None:
        return
    if not defined.nested:
        yield f"{place}: expected type: {defined.type}, found: JSONArray"
    for rule in rules:
        inner = defined.nested.get(rule.id, _UNTYPED)
        for index, value in enumerate(rule.values):
            if rule.id in defined.nested:
                yield from _type_problems(f"{place}/{rule.id}/{index}", value, inner)
    given = _nested_data(rules)
    for name, inner in defined.nested.items():
        if inner.identifier and (len(given.get(name, [])) != 1 or given[name] == [""]):
            yield f"{place}/{name}: expected exactly one non-empty value"


def _type_problems(place: str, value: str | bool | int | float, defined: EventProperty) -> Iterator[str]:
    expected: dict[str, tuple[type, ...]] = {"String": (str,), "Boolean": (bool,), "Number": (int, float)}
    is_bool_as_number = defined.type == "Number" and isinstance(value, bool)
    if not isinstance(value, expected[defined.type]) or is_bool_as_number:
        yield f"{place}: expected type: {defined.type}, found: {_type_name(value)}"


def _type_name(value: object) -> str:
    return {str: "String", bool: "Boolean", int: "Number", float: "Number"}.get(type(value), "JSONArray")
