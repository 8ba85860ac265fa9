"""Fields of an entry beside its key and its content: from the settings, or from the record. §3, §4 [spec]

A record names them in its data, such as ``"$permissionLevel": "ANONYMOUS"``. No property id can begin with ``$``.
"""

import re
from collections.abc import Collection
from json.encoder import encode_basestring as quoted
from typing import Any

from sluice.destinations.blueconic.rules import join_words, reject_value
from sluice.destinations.blueconic.settings import BlueConicSettings
from sluice.destinations.contract import Rejection
from sluice.events import Operation

STRATEGIES: dict[Operation, str] = {"insert": "UPSERT", "upsert": "UPSERT", "update": "UPDATE", "delete": "DELETE"}
"""There is no strategy that only inserts. §3 [spec]"""
IDENTIFIER = '{"identifier":'
"""The start of every entry, by which its result is found."""
MARK = "$"
"""Begins the names of fields in a record's data. Ours to choose."""
GROUP_FIELDS = ("domainGroup",)
"""§3 [spec]"""
DELETE_FIELDS = ("domainGroup", "isMemberOfSegment")
PROFILE_FIELDS = (
    *DELETE_FIELDS,
    "permissionLevel",
    "privacyLegislation",
    "triggerOnPropertyChange",
    "triggerOnEventAdded",
)
"""§4 [spec]; ``isMemberOfSegment`` is the only ``restriction`` of an entry."""
_FORMS = {
    "permissionLevel": r"DO_NOT_TRACK|ANONYMOUS|PERSONAL",
    "privacyLegislation": r"[A-Z][A-Z0-9_]*",
    "triggerOnPropertyChange": r"true|false",
    "triggerOnEventAdded": r"true|false",
}
"""For any other value BlueConic would refuse the whole request. §7 [assumed]"""
_EXPECTED = {
    "permissionLevel": "`DO_NOT_TRACK`, `ANONYMOUS` or `PERSONAL`",
    "privacyLegislation": "a legislation such as `GDPR`",
    "triggerOnPropertyChange": "true or false",
    "triggerOnEventAdded": "true or false",
}


class EntryFields:
    """Encoder of the fields ``names``, each as the record says, else as the settings do."""

    def __init__(self, settings: BlueConicSettings, names: Collection[str]) -> None:
        configured = {
            "domainGroup": settings.domain_group or None,
            "isMemberOfSegment": settings.member_of_segment or None,
            "permissionLevel": settings.permission_level,
            "privacyLegislation": settings.privacy_legislation,
            "triggerOnPropertyChange": settings.trigger_on_property_change,
            "triggerOnEventAdded": settings.trigger_on_event_added,
        }
        self._names = names
        self._configured = {name: _field(name, configured[name]) for name in names if configured[name] is not None}
        self._plain = "".join(self._configured.values())

    def encode(self, data: dict[str, Any]) -> str:
        """Return the fields, each after a comma, and take them out of ``data``. Raises ``Rejection``."""
        if MARK not in "".join(data):  # nearly always, and faster than name by name
            return self._plain
        fields = dict(self._configured)
        for name in [name for name in data if name.startswith(MARK)]:
            field, value = name.removeprefix(MARK), data.pop(name)
            if field not in self._names:
                known = join_words(MARK + name for name in self._names)
                raise Rejection(
                    "bad-field", f"expected a field of {known} here, got {name[:40]!r}; correct it upstream"
                )
            if value is not None:
                fields[field] = _field(field, value)
        return "".join(fields.values())


def _field(name: str, value: object) -> str:
    text = ("false", "true")[value] if isinstance(value, bool) else value
    if not isinstance(text, str) or not re.fullmatch(_FORMS.get(name, r"(?s).+"), text):
        reject_value(MARK + name, _EXPECTED.get(name, "a text"), value)
    if name == "isMemberOfSegment":
        return f',"restriction":{{"isMemberOfSegment":{quoted(text)}}}'
    return f',"{name}":{text if name.startswith("trigger") else quoted(text)}'
