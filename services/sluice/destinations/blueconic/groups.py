"""Entries of ``PUT /groups``. §3"""

from json.encoder import encode_basestring as quoted
from typing import Final

from sluice.destinations.blueconic.entry_fields import GROUP_FIELDS, IDENTIFIER, STRATEGIES, EntryFields
from sluice.destinations.blueconic.rules import PropertyRules, describe_value
from sluice.destinations.blueconic.settings import BlueConicSettings
from sluice.destinations.contract import Rejection
from sluice.events import Operation, RecordEvent
from sluice.flow.batch import Encoded

GROUPS: Final = "groups"
"""Batch key, and path of the request."""


class GroupEncoder:
    """Encoder for groups of one type. A group's identity is its type and id."""

    def __init__(self, settings: BlueConicSettings, type_: str, operation: Operation) -> None:
        self._type = type_
        self._deletes = operation == "delete"
        self._start = (
            f',{quoted(settings.group_type_field)}:{quoted(type_)},"strategy":"{STRATEGIES[operation]}","groupId":'
        )
        self._fields = EntryFields(settings, GROUP_FIELDS)
        self._rules = PropertyRules(
            settings.property_prefix.replace("{type}", type_), dates=frozenset(settings.date_properties)
        )

    def encode(self, event: RecordEvent, identifier: str) -> Encoded:
        """Encode ``event``. Raises ``Rejection``."""
        key = event.key
        if not isinstance(key, str) or not key:
            raise Rejection(
                "bad-key", f"expected the group's id as key, a string, got {describe_value(key)}; name it upstream"
            )
        properties = self._rules.read(event.data)
        start = f"{IDENTIFIER}{quoted(identifier)}{self._start}{quoted(key)}{self._fields.encode(properties)}"
        if self._deletes:
            return Encoded(GROUPS, (self._type, key), f"{start}}}".encode(), replay_safe=True)
        rules, replay_safe = self._rules.encode(properties)
        return Encoded(GROUPS, (self._type, key), f'{start},"properties":[{",".join(rules)}]}}'.encode(), replay_safe)
