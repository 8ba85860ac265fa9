"""Ids in the order of a listing: by a value that may change, such as an instant of modification, then by id.

Solr's marks work so: what changes its value while it is listed may come twice, or not at all. blueconic.md §12
"""

from bisect import bisect_left, bisect_right, insort

Place = tuple[int, str]
"""Place in a listing: the value and the id. A page begins after the place where the one before ended."""
START: Place = (-1, "")


class ListingOrder:
    """Places of ids, kept in order."""

    def __init__(self) -> None:
        self._places: list[Place] = []
        self._values: dict[str, int] = {}

    def __len__(self) -> int:
        return len(self._places)

    def put(self, name: str, value: int) -> None:
        """Add an id, or move it to the place of another value."""
        if self._values.get(name) == value:
            return
        self.remove(name)
        self._values[name] = value
        insort(self._places, (value, name))

    def remove(self, name: str) -> None:
        """Remove an id, if it is there."""
        value = self._values.pop(name, None)
        if value is not None:
            del self._places[bisect_left(self._places, (value, name))]

    def after(self, place: Place, count: int) -> list[Place]:
        start = bisect_right(self._places, place)
        return self._places[start : start + count]
