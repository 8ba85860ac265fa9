"""Fields of an item: its key, the kinds of values, and the columns made of them. liquid_decisions.md §3."""

import re
from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from sandbox.liquid_decisions.item import Outcome, rejected
from sandbox.liquid_decisions.settings import FieldKind, ItemType

_MAX_COLUMNS = 1000
_MAX_DEPTH = 20
_NAME = re.compile(r"(?!h_)[^\W\d]\w{0,127}", re.IGNORECASE)
_PATH = re.compile(r"(?:/[^/\[\]]+(?:\[[^\[\]]*\])?)+|")
_SCALARS = frozenset({str, int, float, bool, type(None)})


class Fields:
    """Fields of one item type; fields that ever had a scalar value are columns."""

    def __init__(self, item_type: ItemType) -> None:
        self._keys = item_type.key_fields
        self._kinds = item_type.fields
        self.columns: dict[str, None] = dict.fromkeys(item_type.key_fields)
        """Columns in schema order: as configured, or else the keys first and then in order of arrival."""
        if item_type.fields is not None:
            scalar = (name for name, kind in item_type.fields.items() if kind not in ("strings", "blocks"))
            self.columns = dict.fromkeys([*scalar, *item_type.key_fields])
        self._spelt = {name.lower(): name for name in self.columns}

    def key(self, data: Mapping[str, Any]) -> str | Outcome:
        """Return the item's key as one text, or the reject. §3 [docs] plural fields; compared as text [assumed]"""
        parts = []
        for name in self._keys:
            value = data.get(name)
            if value is None or value == "":
                return rejected("MissingKey", f"expected a value of the key field {name}")
            if isinstance(value, bool) or not isinstance(value, str | int | float):
                return rejected("InvalidField", f"{name}: expected a key of text or a number")
            parts.append(str(int(value)) if isinstance(value, float) and value.is_integer() else str(value))
        return parts[0] if len(parts) == 1 else msgspec.json.encode(parts).decode()

    def check(self, data: Mapping[str, Any]) -> Outcome | None:
        """Return the reject of data that does not fit this type; otherwise learn its new columns."""
        if self._kinds is not None:
            return self._check_kinds(data, self._kinds)
        if not _SCALARS.issuperset(map(type, data.values())):
            for name, value in data.items():
                if not _is_value(value):
                    return rejected("InvalidField", f"{name}: expected text, a number, a boolean, texts or blocks")
        return None if data.keys() <= self.columns.keys() else self._learn(data)

    def _check_kinds(self, data: Mapping[str, Any], kinds: Mapping[str, FieldKind]) -> Outcome | None:
        for name, value in data.items():
            kind = kinds.get(name)
            if kind is None and name not in self._keys:
                return rejected("InvalidField", f"no field {name}")
            if kind is None or value is None:
                continue
            expected, is_kind = _KINDS[kind]
            if not is_kind(value):
                return rejected("InvalidField", f"{name}: expected {expected}")
        return None

    def _learn(self, data: Mapping[str, Any]) -> Outcome | None:
        new: dict[str, str] = {}
        for name, value in data.items():
            if name in self.columns:
                continue
            if not _NAME.fullmatch(name):
                return rejected("InvalidField", f"{name[:128]!r} is no name of a field")
            if self._spelt.get(name.lower(), name) != name or new.get(name.lower(), name) != name:
                return rejected("InvalidField", f"{name}: a field of another case is there")
            if type(value) in _SCALARS:
                new[name.lower()] = name
        if len(self.columns) + len(new) > _MAX_COLUMNS:
            return rejected("InvalidField", f"more than {_MAX_COLUMNS} fields")
        self.columns.update(dict.fromkeys(new.values()))
        self._spelt.update(new)
        return None


def _is_value(value: Any, depth: int = 1) -> bool:
    return type(value) in _SCALARS or _is_texts(value) or _is_blocks(value, depth)


def _is_texts(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(one, str) for one in value)


def _is_blocks(value: Any, depth: int = 1) -> bool:
    if not isinstance(value, list) or depth > _MAX_DEPTH:
        return False
    return all(isinstance(one, dict) and all(_is_value(inner, depth + 1) for inner in one.values()) for one in value)


_KINDS: Mapping[FieldKind, tuple[str, Callable[[Any], bool]]] = {
    "string": ("text", lambda value: isinstance(value, str)),
    "number": ("a number", lambda value: isinstance(value, int | float) and not isinstance(value, bool)),
    "boolean": ("true or false", lambda value: isinstance(value, bool)),
    "path": (
        "a path like /Account/accountClass[invoiced]",
        lambda value: isinstance(value, str) and _PATH.fullmatch(value) is not None,
    ),
    "strings": ("an array of texts", _is_texts),
    "blocks": ("an array of objects", _is_blocks),
}
"""Each kind of value, in words and as a check"""
