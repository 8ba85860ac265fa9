"""Entries of ``PUT /profiles`` that write a profile's properties, and the key that a profile is found by. §4"""

from collections.abc import Mapping, Sequence
from json.encoder import encode_basestring as quoted
from typing import Any, Final, NamedTuple

from sluice.destinations.blueconic.entry_fields import (
    DELETE_FIELDS,
    IDENTIFIER,
    PROFILE_FIELDS,
    STRATEGIES,
    EntryFields,
)
from sluice.destinations.blueconic.rules import PropertyRules, describe_value, property_id
from sluice.destinations.blueconic.settings import BlueConicSettings
from sluice.destinations.contract import Rejection
from sluice.events import Key, Operation, RecordEvent
from sluice.flow.batch import Encoded

PROFILES: Final = "profiles"
"""Batch key, and path of the request."""


class ProfileEncoder:
    """Encoder for profiles."""

    def __init__(self, settings: BlueConicSettings, operation: Operation) -> None:
        self._operation = operation
        self._start = f',"strategy":"{STRATEGIES[operation]}",'
        self._fields = EntryFields(settings, DELETE_FIELDS if operation == "delete" else PROFILE_FIELDS)
        self._rules = PropertyRules("", dates=frozenset(settings.date_properties), profiles_by=operation)

    def encode(self, event: RecordEvent, identifier: str) -> Encoded:
        """Encode ``event``. Raises ``Rejection``."""
        operation = self._operation
        profile = profile_key(event.key)
        properties = self._rules.read(event.data)
        fields = self._fields.encode(properties)
        start = f"{IDENTIFIER}{quoted(identifier)}{self._start}{profile.field}{fields}"
        if operation == "delete":
            # A repeat could find another profile, by another alternative.
            one_profile = len(profile.alternatives) < 2
            return Encoded(PROFILES, profile.identity, f"{start}}}".encode(), replay_safe=one_profile)
        rules, replay_safe = self._rules.encode(properties)
        if operation == "update":
            replay_safe = replay_safe and profile.finds_no_other(properties)
        else:
            rules += self._rules.matching_rules(profile.alternatives, properties)
            # An insert's rules, increments too, apply to a new profile only: a repeat that finds it changes nothing.
            replay_safe = (replay_safe or operation == "insert") and profile.is_found_again(properties)
        body = f'{start},"properties":[{",".join(rules)}]}}'.encode()
        return Encoded(PROFILES, profile.identity, body, replay_safe)


class ProfileKey(NamedTuple):
    """The profile that an entry is about."""

    field: str
    """The entry's ``profileId`` or ``matching``."""
    identity: object
    alternatives: Sequence[Mapping[str, str]]
    """The properties it is found by: one of these mappings, with all of its properties."""

    def is_found_again(self, properties: Mapping[str, Any]) -> bool:
        """Return whether a repeat finds the profile that the first attempt made.

        That is so when ``properties`` write those of the first alternative with the values it is found by.
        """
        if not self.alternatives:
            return True
        return all(_keeps(properties, name, value) for name, value in self.alternatives[0].items())

    def finds_no_other(self, properties: Mapping[str, Any]) -> bool:
        """Return whether the repeat of an update finds the same profile or none, and never one by an alternative."""
        if len(self.alternatives) < 2:
            return True
        return all(_keeps(properties, name, value) for one in self.alternatives for name, value in one.items())


def profile_key(key: Key) -> ProfileKey:
    """Return ``profileId`` for a string, ``matching`` for mappings. §4 [spec]

    Raises ``Rejection`` for an empty key: without one each repeat would make another profile.
    """
    if isinstance(key, str) and key:
        return ProfileKey(f'"profileId":{quoted(key)}', key, ())
    alternatives = [key] if isinstance(key, dict) else key if isinstance(key, list) else []
    if not alternatives or not all(alternatives) or not all(value for one in alternatives for value in one.values()):
        raise Rejection(
            "bad-key",
            "expected a profile's id as key, or the unique properties it is found by, such as "
            f'{{"email": "jane@example.com"}}, got {describe_value(key)}; '
            "without one each repeat would make another profile",
        )
    matching = ",".join(
        "[" + ",".join(f'{{"id":"{property_id(name)}","value":{quoted(one[name])}}}' for name in one) + "]"
        for one in alternatives
    )
    identity = tuple(tuple(sorted(one.items())) for one in alternatives)
    return ProfileKey(f'"matching":[{matching}]', identity, alternatives)


def _keeps(properties: Mapping[str, Any], name: str, value: str) -> bool:
    """Return whether a profile that has ``value`` there has it after ``properties`` were written."""
    written = properties.get(name, value)
    if isinstance(written, dict) and written.keys() in ({"set"}, {"set_if_empty"}):
        (written,) = written.values()
    return written == value or (type(written) is int and str(written) == value)
