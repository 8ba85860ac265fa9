"""From a record's properties to BlueConic's rules. blueconic.md §3 and §4 for properties, §5 for timeline events.

Mistakes in a record raise ``Rejection`` with what was expected, what came, and what to do.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from json.encoder import encode_basestring as quoted
from typing import Any, NoReturn

import msgspec

from sluice.destinations.contract import Rejection

RULES = {
    "set": "SET",
    "add": "ADD",
    "set_if_empty": "SET_IF_EMPTY",
    "remove": "REMOVE",
    # The prose calls it SUM, every schema INCREMENT. §3 [spec]
    "increment": "INCREMENT",
}
"""§3 [spec]. All but ``increment`` leave the same when they are applied again."""
RESTRICTIONS = ("ALL_PROFILES", "EXISTING_PROFILES_ONLY", "NEW_PROFILES_ONLY")
"""§4 [spec]"""
EVENT_RULES = {"set": "SET", "add": "ADD", "set_if_empty": "SET_IF_EMPTY"}
NESTED_RULES = {"set": "SET", "upsert": "UPSERT", "update": "UPDATE", "delete": "DELETE"}
"""§5 [spec]"""

_WORDS = RULES.keys() | EVENT_RULES.keys() | NESTED_RULES.keys()

MAX_REMEMBERED = 10_000
"""Names whose encoding is kept; past it all are forgotten."""


class PropertyRules:
    """Encodes properties as rules. Values become strings, each property an entry of its own. §3, §4 [spec]"""

    def __init__(self, prefix: str, *, allowed: Sequence[str] = (), forced: str | None = None) -> None:
        """``allowed`` restrictions, of which ``forced`` is on every rule."""
        self._heads = _Heads(prefix)
        self._allowed = (forced,) if forced else allowed
        self._forced = forced
        self._set = self._end("SET", forced)

    def encode(self, properties: dict[str, Any]) -> tuple[list[str], bool]:
        """The rules, and whether applying them twice is as good as once."""
        heads, set_ = self._heads, self._set
        rules = []
        repeatable = True
        for name, value in properties.items():
            kind = type(value)
            if kind is str:
                rules.append(f"{heads[name]}{quoted(value)}{set_}")
            elif kind is int:
                rules.append(f'{heads[name]}"{value}"{set_}')
            elif kind is bool:
                rules.append(f"{heads[name]}{_TRUTH[value]}{set_}")
            elif kind is dict:
                word, operand, restriction = self._rule(name, value)
                rules.append(f"{heads[name]}{_texts(name, operand, word)}{self._end(RULES[word], restriction)}")
                repeatable = repeatable and word != "increment"
            else:
                rules.append(f"{heads[name]}{_texts(name, value, 'set')}{set_}")
        return rules, repeatable

    def matched(self, alternatives: Sequence[Mapping[str, str]], properties: Mapping[str, Any]) -> list[str]:
        """Rules that write what a profile is found by, so that a repeat finds it again; ``properties`` come first.

        Only the first alternative is set, as in the example of §4: a profile found by another one keeps its own value.
        """
        rules: dict[str, str] = {}
        for number, alternative in enumerate(alternatives):
            end = self._set if number == 0 else self._end("SET_IF_EMPTY", self._forced)
            for name, value in alternative.items():
                if name not in properties:
                    rules.setdefault(name, f"{self._heads[name]}{quoted(value)}{end}")
        return list(rules.values())

    def _rule(self, name: str, rule: dict[str, Any]) -> tuple[str, Any, str | None]:
        restriction = rule.get("restriction", self._forced)
        words = [word for word in rule if word != "restriction"]
        if len(words) != 1 or words[0] not in RULES:
            reject_value(name, f"one rule of {listed(RULES)}", rule)
        if restriction is not None and restriction not in self._allowed:
            reject_value(name, f"a restriction of {listed(self._allowed) or 'none'} here", restriction)
        return words[0], rule[words[0]], restriction

    @staticmethod
    def _end(strategy: str, restriction: str | None) -> str:
        return f'],"strategy":"{strategy}"' + (f',"restriction":"{restriction}"}}' if restriction else "}")


class _Heads(dict[str, str]):
    """From a property's name to the start of its rule."""

    def __init__(self, prefix: str) -> None:
        super().__init__()
        self._prefix = prefix

    def __missing__(self, name: str) -> str:
        if len(self) >= MAX_REMEMBERED:
            self.clear()
        self[name] = head = f'{{"id":"{property_id(self._prefix + name)}","values":['
        return head


class EventRule(msgspec.Struct, omit_defaults=True):
    """A rule for a property of an event, or of an object nested in it, which has no strategy. §5 [spec]"""

    id: str
    values: list[Any]
    strategy: str = ""


def event_rules(properties: dict[str, Any]) -> list[EventRule]:
    """§5: typed values, or nested ones. An object whose only name is a rule's is that rule."""
    rules = []
    for name, value in properties.items():
        word, operand = "set", value
        if isinstance(value, dict) and len(value) == 1 and next(iter(value)) in _WORDS:
            ((word, operand),) = value.items()
        given = operand if isinstance(operand, list) else [operand] if operand is not None else []
        nested = any(isinstance(one, dict) for one in given)
        known = NESTED_RULES if nested else EVENT_RULES
        if word not in known:
            reject_value(name, f"one rule of {listed(known)}", value)
        values = [_nested(name, one) if nested else _typed(name, one) for one in given]
        rules.append(EventRule(property_id(name), values, known[word]))
    return rules


def text_properties(data: msgspec.Raw) -> dict[str, Any]:
    """``data``, its fractions as text: a number keeps the digits it was published with, 1.50 does not become 1.5."""
    try:
        return _decode_texts(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise _bad_data(error) from error


def typed_properties(data: msgspec.Raw) -> dict[str, Any]:
    """``data``, its fractions as the bytes they came in."""
    try:
        return _decode_typed(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise _bad_data(error) from error


def property_id(name: str) -> str:
    """Letters, digits, - and _. §3 [spec]"""
    if not re.fullmatch(r"[A-Za-z0-9_-]+", name):
        raise Rejection("bad-property", f"expected a property id of letters, digits, - and _, got {name!r}; rename it")
    return name


def reject_value(name: str, expected: str, value: Any) -> NoReturn:
    """Raise the ``Rejection`` of a property's value."""
    raise Rejection("bad-value", f"property {name!r}: expected {expected}, got {shown(value)}; correct it upstream")


def listed(words: Iterable[str]) -> str:
    """``words`` as a message names them."""
    return ", ".join(f"`{word}`" for word in words)


def shown(value: object) -> str:
    """What came, without the values of a person's record beyond a glimpse."""
    match value:
        case None:
            return "null"
        case dict():
            return f"an object with {listed([str(name)[:40] for name in list(value)[:5]]) or 'nothing in it'}"
        case list():
            return f"a list of {len(value)}"
        case _:
            return f"{str(value)[:40]!r}"


_decode_texts = msgspec.json.Decoder(dict[str, Any], float_hook=str).decode
_decode_typed = msgspec.json.Decoder(dict[str, Any], float_hook=msgspec.Raw).decode


def _bad_data(error: Exception) -> Rejection:
    return Rejection("bad-data", f"expected data to be an object of properties: {error}; correct it upstream")


def _texts(name: str, value: Any, word: str) -> str:
    """``value`` as the inside of a rule's ``values``: strings only. §3 [spec]"""
    if word == "increment":
        number = value if type(value) is str else str(value) if type(value) is int else ""
        if not re.fullmatch(r"-?[0-9]+(\.[0-9]+)?", number):
            reject_value(name, "a decimal number to increment by", value)
        return quoted(number)
    if value is None and word == "set":
        return ""  # SET with [] clears. §3 [assumed]
    if type(value) is not list:
        return _text(name, value)
    return ",".join([_text(name, one) for one in value])


_TRUTH = ('"false"', '"true"')
"""By truth. §3 [assumed]"""


def _text(name: str, value: Any) -> str:
    kind = type(value)
    if kind is str:
        return quoted(value)
    if kind is bool:
        return _TRUTH[value]
    if kind is not int:
        reject_value(name, f"strings, numbers or booleans, or one rule of {listed(RULES)}", value)
    return f'"{value}"'


def _nested(name: str, value: Any) -> list[EventRule]:
    if not isinstance(value, dict):
        reject_value(name, "either values or objects, not both", value)
    rules = []
    for inner, given in value.items():
        values = given if isinstance(given, list) else [given]
        rules.append(EventRule(property_id(inner), [_typed(f"{name}.{inner}", one) for one in values]))
    return rules


def _typed(name: str, value: Any) -> Any:
    if not isinstance(value, str | int | msgspec.Raw):
        reject_value(name, "strings, numbers or booleans, nested in one object at most", value)
    return value
