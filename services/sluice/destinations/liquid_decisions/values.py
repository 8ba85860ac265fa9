"""Values of items, compared as the vendor may give them back: numbers by value, dates as instants. §13

Only the feed and the item form of SQL return values exactly. §15 [sandbox]
"""

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

_INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:?\d\d)", re.ASCII)
_PLAIN = frozenset({int, float, type(None)})
_TRUE, _FALSE = ("bool", 1), ("bool", 0)


def canonical(value: Any) -> Any:
    """Return what equal values have in common; it is hashable."""
    kind = type(value)
    if kind is str:
        # A date is some 24 characters long; most other texts are told from one by their length or fifth character.
        return _instant(value) if 20 <= len(value) <= 35 and value[4] == "-" else value
    if kind is bool:
        return _TRUE if value else _FALSE  # 1 is another value
    if kind is list:
        return tuple([canonical(one) for one in value])
    if kind is dict:
        return frozenset([(name, canonical(inner)) for name, inner in value.items()])
    return value


def digest(names: Sequence[str], data: Mapping[str, Any]) -> int:
    """Return a number for the values of the fields ``names``; one that is absent is null.

    It is of this process alone: Python's hashes differ from one process to the next.
    """
    # Most values are as they are, which is seen here at once.
    return hash(
        tuple(
            [
                value
                if type(value) in _PLAIN or (isinstance(value, str) and not 20 <= len(value) <= 35)
                else canonical(value)
                for value in map(data.get, names)
            ]
        )
    )


def has_all(sent: Mapping[str, Any], names: Sequence[str], found: Mapping[str, Any]) -> bool:
    """Return whether the fields ``names`` of ``sent`` have the same values in ``found``."""
    return all(canonical(sent.get(name)) == canonical(found.get(name)) for name in names)


def _instant(text: str) -> Any:
    """Return the epoch milliseconds of a date, as which the feed may give it back (§1); other texts as they are."""
    if not _INSTANT.fullmatch(text):
        return text
    try:
        return round(datetime.fromisoformat(text).timestamp() * 1000)
    except ValueError:
        return text
