"""Segments and their profiles, in the order in which they are listed. blueconic.md §11."""

from sandbox.blueconic.listing_order import ListingOrder
from sandbox.blueconic.rules import Values
from sandbox.blueconic.settings import Segment, Settings


class Segments:
    """Members of each segment, as the profiles are now; the membership follows from a profile's id and values."""

    def __init__(self, settings: Settings) -> None:
        self._segments = settings.segments
        self._by_modification = settings.lists_by_modification
        self.clear()

    def clear(self) -> None:
        self.members = {segment.id: ListingOrder() for segment in self._segments}

    def of(self, profile_id: str, values: Values) -> list[str]:
        """Return the segments of a profile with this id and these values."""
        return [segment.id for segment in self._segments if _has(segment, profile_id, values)]

    def put(self, profile_id: str, values: Values, *, serial: int, modified_ms: int) -> None:
        """Note a profile that was created or changed."""
        for segment in self._segments:
            if _has(segment, profile_id, values):
                self.members[segment.id].put(profile_id, modified_ms if self._by_modification else serial)
            else:
                self.members[segment.id].remove(profile_id)

    def remove(self, profile_id: str) -> None:
        for members in self.members.values():
            members.remove(profile_id)


def _has(segment: Segment, profile_id: str, values: Values) -> bool:
    return profile_id in segment.profiles or segment.value in values.get(segment.property, ())
