"""Storage of a tenant's profiles as MessagePack, with lookup by id or by unique properties. blueconic.md §4."""

from collections.abc import Iterable

import msgspec

from sandbox.blueconic.rules import Values
from sandbox.blueconic.timeline import Event


class Profile(msgspec.Struct, array_like=True):
    """A stored profile; times in epoch milliseconds. ``serial`` orders profiles by creation."""

    serial: int
    created_ms: int
    permission_level: str
    values: Values
    events: list[Event]


class ProfileTable:
    """All profiles by id, indexed by the properties marked unique."""

    def __init__(self, unique: frozenset[str]) -> None:
        self._unique = unique
        self._packed: dict[str, bytes] = {}
        self._index: dict[tuple[str, str], dict[str, None]] = {}
        self._created = 0

    def __len__(self) -> int:
        return len(self._packed)

    def get(self, profile_id: str) -> Profile | None:
        packed = self._packed.get(profile_id)
        return None if packed is None else _unpack(packed)

    def next_serial(self) -> int:
        self._created += 1
        return self._created

    def put(self, profile_id: str, profile: Profile, before: Values) -> None:
        """Store a profile whose values were ``before``."""
        self._reindex(profile_id, before, profile.values)
        self._packed[profile_id] = _pack(profile)

    def delete(self, profile_id: str) -> None:
        profile = _unpack(self._packed.pop(profile_id))
        self._reindex(profile_id, profile.values, {})

    def find(self, pairs: Iterable[tuple[str, str]]) -> list[str]:
        """Return the profiles that have every pair of unique property and value, in the order of creation."""
        return sorted(self._holders(pairs), key=lambda profile_id: self._unpacked(profile_id).serial)

    def first_in_domain(self, alternatives: Iterable[Iterable[tuple[str, str]]], domain_group: str) -> str | None:
        """Return the first created profile of a domain group that has every pair of one of the alternatives."""
        found = {
            (profile.serial, profile_id)
            for pairs in alternatives
            for profile_id in self._holders(pairs)
            if (profile := self._unpacked(profile_id)).values.get("domaingroup") == [domain_group]
        }
        return min(found)[1] if found else None

    def _holders(self, pairs: Iterable[tuple[str, str]]) -> set[str]:
        holders = [self._index.get(pair, {}).keys() for pair in pairs]
        return set(holders[0]).intersection(*holders[1:]) if holders else set()

    def _unpacked(self, profile_id: str) -> Profile:
        return _unpack(self._packed[profile_id])

    def _reindex(self, profile_id: str, before: Values, after: Values) -> None:
        for name in self._unique:
            for value in before.get(name, ()):
                holders = self._index.get((name, value), {})
                holders.pop(profile_id, None)
                if not holders:
                    self._index.pop((name, value), None)
            for value in after.get(name, ()):
                self._index.setdefault((name, value), {})[profile_id] = None


_unpack = msgspec.msgpack.Decoder(Profile).decode
_pack = msgspec.msgpack.Encoder().encode
