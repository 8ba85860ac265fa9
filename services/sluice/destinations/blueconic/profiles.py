"""Entries of ``PUT /profiles`` that write a profile's properties, and the key that a profile is found by. §4"""

from collections.abc import Mapping, Sequence
from json.encoder import encode_basestring as quoted
from typing import Any, Final, NamedTuple

import msgspec

from sluice.destinations.blueconic.entry_fields import IDENTIFIER, STRATEGIES, strategy_fields
from sluice.destinations.blueconic.rules import (
    RESTRICTIONS,
    PropertyRules,
    describe_value,
    property_id,
    text_properties,
)
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
        self._start = strategy_fields(settings, STRATEGIES[operation])
        self._creation = creation_fields(settings)
        # An insert must not change a profile that is there already. Mapping
        self._rules = PropertyRules(
            "", allowed=RESTRICTIONS, forced="NEW_PROFILES_ONLY" if operation == "insert" else None
        )

    def encode(self, event: RecordEvent, identifier: str) -> Encoded:
        """Encode ``event``. Raises ``Rejection``."""
        profile = profile_key(event.key)
        start = f"{IDENTIFIER}{quoted(identifier)}{self._start},{profile.field}"
        if self._operation == "delete":
            return Encoded(PROFILES, profile.identity, f"{start}}}".encode(), replay_safe=True)
        properties = text_properties(event.data)
        rules, replay_safe = self._rules.encode(properties)
        if self._operation != "update":
            rules += self._rules.matching_rules(profile.alternatives, properties)
            # An insert's rules, increments too, apply to a new profile only: a repeat that finds it changes nothing.
            replay_safe = (replay_safe or self._operation == "insert") and profile.is_found_again(properties)
        body = f'{start}{self._creation},"properties":[{",".join(rules)}]}}'.encode()
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
        return all(
            properties.get(name, value) in (value, {"set": value}, {"set_if_empty": value})
            for name, value in self.alternatives[0].items()
        )


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


def creation_fields(settings: BlueConicSettings) -> str:
    """Return the fields that count when a profile is made, and its triggers. §4 [spec]"""
    fields = {
        "permissionLevel": settings.permission_level,
        "privacyLegislation": settings.privacy_legislation,
        "triggerOnPropertyChange": settings.trigger_on_property_change,
        "triggerOnEventAdded": settings.trigger_on_event_added,
    }
    return "".join(
        f",{quoted(name)}:{msgspec.json.encode(value).decode()}" for name, value in fields.items() if value is not None
    )
