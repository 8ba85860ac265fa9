"""Property rules: the effect of ``SET``, ``ADD``, ``INCREMENT`` and the other strategies. blueconic.md §3.

Every strategy but ``INCREMENT`` is idempotent.
"""

import re
from collections.abc import Sequence
from decimal import Decimal
from typing import Literal, NamedTuple

import msgspec

Values = dict[str, list[str]]
Errors = dict[str, list[str]]
Strategy = Literal["SET", "ADD", "SET_IF_EMPTY", "INCREMENT", "REMOVE", "SUM"]

_PROPERTY_ID = re.compile(r"[A-Za-z0-9_-]+")
_NUMBER = re.compile(r"-?[0-9]{1,15}(\.[0-9]{1,12})?")
_EMPTY: list[str] = []
_MAX_CHECKED = 100_000


class Rule(msgspec.Struct, kw_only=True, gc=False):
    """One change to one property. ``SUM`` is the prose's name for ``INCREMENT``. §3 [assumed alias]"""

    id: str = ""
    values: list[str] = []
    strategy: Strategy = "SET"


class Applied(NamedTuple):
    """Effect of a list of rules. Rules with errors did nothing; the others took effect."""

    changed: bool
    failed: int
    errors: Errors


class PropertyRules:
    """Rules applied in their order. ``defined``: the only properties there are; null accepts any well-formed id."""

    def __init__(self, defined: frozenset[str] | None) -> None:
        self._defined = defined
        self._checked: set[str] = set()

    def apply(self, rules: Sequence[Rule], values: Values) -> Applied:
        """Change ``values`` in place."""
        changed = False
        failed = 0
        errors: Errors = {}
        for rule in rules:
            try:
                changed |= self._apply_one(rule, values)
            except ValueError as error:
                failed += 1
                errors.setdefault(rule.id, []).append(str(error))
        return Applied(changed, failed, errors)

    def _apply_one(self, rule: Rule, values: Values) -> bool:
        if rule.id not in self._checked:
            self._check(rule.id)
        before = values.get(rule.id, _EMPTY)
        after = rule.values if rule.strategy == "SET" else _changed_by(rule, before)
        if after == before:
            return False
        if after:
            values[rule.id] = after
        else:
            del values[rule.id]
        return True

    def _check(self, property_id: str) -> None:
        """Check the form [spec] and, in strict mode, that it is defined [assumed]. Raises ``ValueError``."""
        if not _PROPERTY_ID.fullmatch(property_id):
            raise ValueError("expected a property id of letters, digits, - and _")
        if self._defined is not None and property_id not in self._defined:
            raise ValueError("the property is not defined")
        if len(self._checked) < _MAX_CHECKED:
            self._checked.add(property_id)


def _changed_by(rule: Rule, before: list[str]) -> list[str]:
    match rule.strategy:
        case "SET":
            return rule.values
        case "ADD":
            return before + [value for value in dict.fromkeys(rule.values) if value not in before]
        case "SET_IF_EMPTY":
            return before or rule.values
        case "REMOVE":
            return [value for value in before if value not in rule.values]
        case "INCREMENT" | "SUM":
            return [_sum(before or ["0"], rule.values)]


def _sum(before: list[str], added: list[str]) -> str:
    """Add two numbers. An empty property starts at 0; a stored non-number is an error and stays. §3 [assumed]"""
    if len(added) != 1 or not _NUMBER.fullmatch(added[0]):
        raise ValueError(f"INCREMENT expects one number, got {added}")
    if len(before) != 1 or not _NUMBER.fullmatch(before[0]):
        raise ValueError(f"INCREMENT expects the stored value to be one number, it is {before}")
    return f"{Decimal(before[0]) + Decimal(added[0]):f}"
