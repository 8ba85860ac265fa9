"""Properties of groups and profiles as read. blueconic.md §8."""

import msgspec

from sandbox.blueconic.rules import Values

_ALWAYS_SHOWN = "domaingroup"


class PropertyView(msgspec.Struct, frozen=True):
    """A property; values are always returned as strings. §8 [spec]"""

    id: str
    values: list[str]


def as_views(values: Values, wanted: frozenset[str] | None) -> list[PropertyView]:
    """Return the wanted properties (null: all), and always the domain group, as in §8's example."""
    return [
        PropertyView(name, given)
        for name, given in values.items()
        if wanted is None or name in wanted or name == _ALWAYS_SHOWN
    ]
