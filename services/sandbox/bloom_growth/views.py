"""Parts that all answered objects share, and references between objects. bloom_growth.md §1, §4."""

import msgspec
from msgspec import UNSET, UnsetType


class Permission(msgspec.Struct, frozen=True, kw_only=True, rename="pascal"):
    """Permission that ``includePermission=true`` adds. §1 [docs:ref]"""

    can_edit: bool


class View(msgspec.Struct, kw_only=True, rename="pascal", gc=False):
    """An object as answered: PascalCase, ``Type`` and ``Key`` by analogy with ``NameId`` (§4 [assumed])."""

    id: int
    type: str
    key: str


class ObjectView(View, kw_only=True, rename="pascal", gc=False):
    """An object of a meeting, as answered."""

    name: str
    permission: Permission | UnsetType = UNSET


class NameId(View, kw_only=True, rename="pascal", gc=False):
    """A row of a list of meetings; the SDK requires all four keys. §7 [client], [test:mock]"""

    name: str


class Origin(msgspec.Struct, frozen=True, kw_only=True, rename="pascal", gc=False):
    """A meeting that a goal is in. §6"""

    id: int
    name: str


EDITABLE = Permission(can_edit=True)
