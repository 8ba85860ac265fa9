"""Entries of the bulk requests, made from record events. Facts without a section are from blueconic.md, Mapping.

============================ ========================================== ==========================================
object                       key                                        data
============================ ========================================== ==========================================
``group/<type>``             the group's id, a string                   properties
``profile``                  the profile's id, a string; or the unique  properties
                             properties it is found by, as one mapping
                             or as alternatives
``timeline/<event type>``    the profile's key as a mapping, with       the event's properties, also nested
                             ``profileId`` for its id, and the event's
                             ``id`` and ``date``
============================ ========================================== ==========================================

A property is a value or a list of values to set, ``null`` to clear it, or one rule: ``{"add": v}``, ``{"remove": v}``,
``{"increment": n}``, ``{"set_if_empty": v}``, ``{"set": v}``; a profile's rule may name its ``restriction``.
"""

from sluice.destinations.blueconic.groups import GroupEncoder
from sluice.destinations.blueconic.profiles import ProfileEncoder
from sluice.destinations.blueconic.rules import MAX_CACHED
from sluice.destinations.blueconic.settings import BlueConicSettings
from sluice.destinations.blueconic.timeline import TimelineEncoder
from sluice.destinations.contract import Rejection
from sluice.events import Operation, RecordEvent
from sluice.flow.batch import Encoded

Encoder = GroupEncoder | ProfileEncoder | TimelineEncoder


class Entries:
    """Encoder of record events for one tenant, with an encoder for each object and operation that it meets."""

    def __init__(self, settings: BlueConicSettings) -> None:
        self._settings = settings
        self._encoders: dict[str, dict[Operation, Encoder]] = {}

    def encode(self, event: RecordEvent, identifier: str) -> Encoded:
        """Encode ``event`` as an entry with ``identifier``. Raises ``Rejection``."""
        try:
            encoder = self._encoders[event.object][event.operation]
        except KeyError:
            encoder = self._add_encoder(event.object, event.operation)
        return encoder.encode(event, identifier)

    def _add_encoder(self, object_: str, operation: Operation) -> Encoder:
        # Objects come from upstream, so their number has no bound of its own.
        if len(self._encoders) >= MAX_CACHED:
            self._encoders.clear()
        encoder = self._encoder(object_, operation)
        self._encoders.setdefault(object_, {})[operation] = encoder
        return encoder

    def _encoder(self, object_: str, operation: Operation) -> Encoder:
        if operation == "hardDelete":
            raise Rejection("unknown-operation", "expected insert, update, upsert or delete, got 'hardDelete'")
        kind, _, type_ = object_.partition("/")
        if kind == "group" and type_:
            return GroupEncoder(self._settings, type_, operation)
        if object_ == "profile":
            return ProfileEncoder(self._settings, operation)
        if kind == "timeline" and type_:
            return TimelineEncoder(self._settings, type_, operation)
        raise Rejection(
            "unknown-object",
            f"expected the object group/<type>, profile or timeline/<event type>, got {object_!r}; correct it upstream",
        )
