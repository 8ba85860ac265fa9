"""Filters of an export: field → value, all of which must match. liquid_decisions.md §10."""

import ast
from collections.abc import Mapping
from typing import Any

import msgspec

from sandbox.http.messages import UNREADABLE
from sandbox.liquid_decisions.forms import as_text
from sandbox.liquid_decisions.refusal import Refusal

_NONE = frozenset({"", "0", "None"})
_MAX_LENGTH = 2**16
_NOT_PYTHON = (ValueError, SyntaxError, TypeError, RecursionError, MemoryError)

Filters = Mapping[str, str]


def read_filters(text: str) -> Filters:
    """Read JSON, or else the ``str(dict)`` that wiki and script send. §10 [docs] [client], [assumed]"""
    if text.strip() in _NONE:
        return {}
    found = _parse(text)
    if found in (0, None):
        return {}
    if not isinstance(found, dict):
        raise Refusal(f"filters: expected an object of fields and values, got {text[:60]!r}")
    return {str(name): _comparable(value) for name, value in found.items()}


def matches(filters: Filters, data: Mapping[str, Any]) -> bool:
    """Compare as text, ``True`` like ``true``; all must match. [assumed AND]"""
    return all(name in data and _comparable(data[name]) == value for name, value in filters.items())


def _parse(text: str) -> Any:
    if len(text) > _MAX_LENGTH:
        raise Refusal(f"filters: expected at most {_MAX_LENGTH} letters")
    try:
        return msgspec.json.decode(text)
    except UNREADABLE:
        pass
    try:
        return ast.literal_eval(text.strip())
    except _NOT_PYTHON:
        raise Refusal(f"filters: expected JSON, or text as of a Python dict, got {text[:60]!r}") from None


def _comparable(value: Any) -> str:
    if isinstance(value, str):
        return value.lower() if value in ("True", "False") else value
    return as_text(value) if isinstance(value, bool | int | float | None) else str(value)
