"""Properties as read, of groups and profiles alike. blueconic.md §8."""

import msgspec

from sandbox.blueconic.rules import Values

_ALWAYS_SHOWN = "domaingroup"


class PropertyView(msgspec.Struct, frozen=True):
    """A property; values always come back as strings. §8 [spec]"""

    id: str
    values: list[str]


def as_views(values: Values, wanted: frozenset[str] | None) -> list[PropertyView]:
    """The wanted properties, null meaning all; the domain group is there in any case, as in §8's example."""
    return [
        PropertyView(name, given)
        for name, given in values.items()
        if wanted is None or name in wanted or name == _ALWAYS_SHOWN
    ]
