"""Rules for BlueConic, made from a record's properties: §3 and §4 for properties, §5 for timeline events.

Mistakes in a record raise ``Rejection`` with what was expected, what came, and what to do.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from json.encoder import encode_basestring as quoted
from typing import Any, NoReturn

import msgspec

from sluice.destinations.contract import Rejection
from sluice.events import Operation

RULES = {
    "set": "SET",
    "add": "ADD",
    "set_if_empty": "SET_IF_EMPTY",
    "remove": "REMOVE",
    # The prose calls it SUM, every schema INCREMENT. §3 [spec]
    "increment": "INCREMENT",
}
"""§3 [spec]. All but ``increment`` are safe to repeat."""
RESTRICTIONS = ("ALL_PROFILES", "EXISTING_PROFILES_ONLY", "NEW_PROFILES_ONLY")
"""§4 [spec]"""
EVENT_RULES = {"set": "SET", "add": "ADD", "set_if_empty": "SET_IF_EMPTY"}
NESTED_RULES = {"set": "SET", "upsert": "UPSERT", "update": "UPDATE", "delete": "DELETE"}
"""§5 [spec]"""

_RULE_WORDS = RULES.keys() | EVENT_RULES.keys() | NESTED_RULES.keys()

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MAX_CACHED = 10_000
"""Names whose encoding is kept; at that number all are forgotten."""


class PropertyRules:
    """Encoder of properties as rules. Values become strings. §3, §4 [spec]"""

    def __init__(
        self, prefix: str, *, dates: frozenset[str] = frozenset(), profiles_by: Operation | None = None
    ) -> None:
        """Put ``prefix`` before each property id, and send the instants of ``dates`` as epoch milliseconds.

        ``profiles_by`` is the operation on a profile, whose rules may name a restriction. An insert's rules all have
        one: it must not change a profile that is there already. Mapping
        """
        self._starts = _RuleStarts(prefix)
        self._dates = dates
        self._forced = "NEW_PROFILES_ONLY" if profiles_by == "insert" else None
        self._allowed = (self._forced,) if self._forced else RESTRICTIONS if profiles_by else ()
        # The first attempt may make the profile that the rule then finds.
        self._unsafe = "EXISTING_PROFILES_ONLY" if profiles_by == "upsert" else ""
        self._set = self._end("SET", self._forced)

    def read(self, data: msgspec.Raw) -> dict[str, Any]:
        """Return the properties in ``data``, with dates as they are sent."""
        properties = text_properties(data)
        for name in self._dates & properties.keys():
            value = properties[name]
            if isinstance(value, dict):
                properties[name] = {
                    word: _epoch_ms(name, operand) if word in RULES else operand for word, operand in value.items()
                }
            else:
                properties[name] = _epoch_ms(name, value)
        return properties

    def encode(self, properties: dict[str, Any]) -> tuple[list[str], bool]:
        """Return the rules for what ``read`` has returned, and whether they are safe to repeat."""
        starts, set_ = self._starts, self._set
        rules = []
        replay_safe = True
        for name, value in properties.items():
            kind = type(value)
            if kind is str:
                rules.append(f"{starts[name]}{quoted(value)}{set_}")
            elif kind is int:
                rules.append(f'{starts[name]}"{value}"{set_}')
            elif kind is bool:
                rules.append(f"{starts[name]}{_BOOLEANS[value]}{set_}")
            elif kind is dict:
                word, operand, restriction = self._rule(name, value)
                rules.append(f"{starts[name]}{_text_values(name, operand, word)}{self._end(RULES[word], restriction)}")
                replay_safe = replay_safe and word != "increment" and restriction != self._unsafe
            else:
                rules.append(f"{starts[name]}{_text_values(name, value, 'set')}{set_}")
        return rules, replay_safe

    def matching_rules(self, alternatives: Sequence[Mapping[str, str]], properties: Mapping[str, Any]) -> list[str]:
        """Return rules that write the properties of ``alternatives``, so that a repeat finds the profile again.

        Leaves out those that are in ``properties``. Only the first alternative is set, as in the example of §4: a
        profile found by another one keeps its own value.
        """
        rules: dict[str, str] = {}
        for number, alternative in enumerate(alternatives):
            end = self._set if number == 0 else self._end("SET_IF_EMPTY", self._forced)
            for name, value in alternative.items():
                if name not in properties:
                    rules.setdefault(name, f"{self._starts[name]}{quoted(value)}{end}")
        return list(rules.values())

    def _rule(self, name: str, rule: dict[str, Any]) -> tuple[str, Any, str | None]:
        restriction = rule.get("restriction", self._forced)
        words = [word for word in rule if word != "restriction"]
        if len(words) != 1 or words[0] not in RULES:
            reject_value(name, f"one rule of {join_words(RULES)}", rule)
        if restriction is not None and restriction not in self._allowed:
            reject_value(name, f"a restriction of {join_words(self._allowed) or 'none'} here", restriction)
        return words[0], rule[words[0]], restriction

    @staticmethod
    def _end(strategy: str, restriction: str | None) -> str:
        return f'],"strategy":"{strategy}"' + (f',"restriction":"{restriction}"}}' if restriction else "}")


class _RuleStarts(dict[str, str]):
    """The start of a rule, by its property's name."""

    def __init__(self, prefix: str) -> None:
        super().__init__()
        self._prefix = prefix

    def __missing__(self, name: str) -> str:
        if len(self) >= MAX_CACHED:
            self.clear()
        self[name] = start = f'{{"id":"{property_id(self._prefix + name)}","values":['
        return start


class EventRule(msgspec.Struct, omit_defaults=True):
    """A rule for a property of an event, or without a strategy for one of an object nested in it. §5 [spec]"""

    id: str
    values: list[Any]
    strategy: str = ""


def event_rules(properties: dict[str, Any]) -> list[EventRule]:
    """Return the rules for an event's ``properties``, whose values keep their JSON type and may be nested. §5 [spec]

    An object whose only name is that of a rule is that rule.
    """
    rules = []
    for name, value in properties.items():
        word, operand = "set", value
        if isinstance(value, dict) and len(value) == 1 and next(iter(value)) in _RULE_WORDS:
            ((word, operand),) = value.items()
        given = operand if isinstance(operand, list) else [operand] if operand is not None else []
        nested = any(isinstance(part, dict) for part in given)
        known = NESTED_RULES if nested else EVENT_RULES
        if word not in known:
            reject_value(name, f"one rule of {join_words(known)}", value)
        values = [_nested_rules(name, part) if nested else _typed_value(name, part) for part in given]
        rules.append(EventRule(property_id(name), values, known[word]))
    return rules


def text_properties(data: msgspec.Raw) -> dict[str, Any]:
    """Decode ``data`` with fractions as text: they keep the digits they were published with, 1.50 is not 1.5."""
    try:
        return _decode_texts(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise _bad_data(error) from error


def typed_properties(data: msgspec.Raw) -> dict[str, Any]:
    """Decode ``data`` with fractions as the bytes they came in."""
    try:
        return _decode_typed(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise _bad_data(error) from error


def instant_of(text: str) -> datetime | None:
    """Return the date and time with a zone that ``text`` is; ``None`` if it is none."""
    try:
        instant = datetime.fromisoformat(text) if "T" in text else None
    except ValueError:
        return None
    return instant if instant is not None and instant.tzinfo is not None else None


def property_id(name: str) -> str:
    """Return ``name`` if it is a property id: letters, digits, - and _. §3 [spec]"""
    if not re.fullmatch(r"[A-Za-z0-9_-]+", name):
        raise Rejection("bad-property", f"expected a property id of letters, digits, - and _, got {name!r}; rename it")
    return name


def reject_value(name: str, expected: str, value: Any) -> NoReturn:
    """Raise the ``Rejection`` of a property's value."""
    got = describe_value(value)
    raise Rejection("bad-value", f"property {name!r}: expected {expected}, got {got}; correct it upstream")


def join_words(words: Iterable[str]) -> str:
    """Return ``words`` as a message lists them."""
    return ", ".join(f"`{word}`" for word in words)


def describe_value(value: object) -> str:
    """Return ``value`` for a message, with at most 40 characters of the data of a person."""
    match value:
        case None:
            return "null"
        case dict():
            return f"an object with {join_words([str(name)[:40] for name in list(value)[:5]]) or 'nothing in it'}"
        case list():
            return f"a list of {len(value)}"
        case _:
            return f"{str(value)[:40]!r}"


_decode_texts = msgspec.json.Decoder(dict[str, Any], float_hook=str).decode
_decode_typed = msgspec.json.Decoder(dict[str, Any], float_hook=msgspec.Raw).decode


def _bad_data(error: Exception) -> Rejection:
    return Rejection("bad-data", f"expected data to be an object of properties: {error}; correct it upstream")


def _text_values(name: str, value: Any, word: str) -> str:
    """Return the elements of a rule's ``values``, which are strings only. §3 [spec]"""
    if word == "increment":
        number = value if type(value) is str else str(value) if type(value) is int else ""
        if not re.fullmatch(r"-?[0-9]+(\.[0-9]+)?", number):
            reject_value(name, "a decimal number to increment by", value)
        return quoted(number)
    if value is None and word == "set":
        return ""  # SET with [] clears. §3 [assumed]
    if type(value) is not list:
        return _text_value(name, value)
    return ",".join([_text_value(name, part) for part in value])


_BOOLEANS = ('"false"', '"true"')
"""The text of ``False`` and ``True``. §3 [assumed]"""


def _text_value(name: str, value: Any) -> str:
    kind = type(value)
    if kind is str:
        return quoted(value)
    if kind is bool:
        return _BOOLEANS[value]
    if kind is not int:
        reject_value(name, f"strings, numbers or booleans, or one rule of {join_words(RULES)}", value)
    return f'"{value}"'


def _epoch_ms(name: str, value: Any) -> Any:
    """Return ``value`` with its instants as BlueConic stores dates. §3 [spec]"""
    if isinstance(value, list):
        return [_epoch_ms(name, part) for part in value]
    if not isinstance(value, str) or re.fullmatch(r"-?[0-9]+", value):
        return value  # milliseconds already, or a mistake that is found like that of any other property
    instant = instant_of(value)
    if instant is None:
        reject_value(name, "an instant such as 2025-01-22T11:21:33Z, or epoch milliseconds", value)
    return (instant - EPOCH) // timedelta(milliseconds=1)


def _nested_rules(name: str, value: Any) -> list[EventRule]:
    if not isinstance(value, dict):
        reject_value(name, "either values or objects, not both", value)
    rules = []
    for inner, given in value.items():
        parts = given if isinstance(given, list) else [given]
        rules.append(EventRule(property_id(inner), [_typed_value(f"{name}.{inner}", part) for part in parts]))
    return rules


def _typed_value(name: str, value: Any) -> Any:
    if not isinstance(value, str | int | msgspec.Raw):
        reject_value(name, "strings, numbers or booleans, nested in one object at most", value)
    return value
