"""Ids that answers have shown: the newest of each kind of object, and those that are ours.

Ids grow, each kind by itself (§15 [inferred]): what has a greater id than any that was shown before a create was sent
may be that create's, and what has not is older.
"""

from collections import OrderedDict
from collections.abc import Mapping

from sluice.destinations.bloom_growth.assumptions import MAX_CREDITED


class SeenIds:
    """Memory of one process."""

    def __init__(self, max_credited: int = MAX_CREDITED) -> None:
        self._newest: dict[str, int] = {}
        self._max_credited = max_credited
        self._credited: OrderedDict[tuple[str, int], None] = OrderedDict()

    @property
    def newest(self) -> Mapping[str, str]:
        """The greatest id of each kind that any answer has shown so far."""
        return {kind: str(id_) for kind, id_ in self._newest.items()}

    def saw(self, kind: str, id_: int) -> None:
        """Take note of an id in an answer."""
        if id_ > self._newest.get(kind, 0):
            self._newest[kind] = id_

    def credit(self, kind: str, id_: int) -> None:
        """Take note that the record ``id_`` is that of one item, and of no other."""
        self.saw(kind, id_)
        self._credited[kind, id_] = None
        if len(self._credited) > self._max_credited:
            self._credited.popitem(last=False)

    def is_credited(self, kind: str, id_: int) -> bool:
        """Return whether the record is known to be another item's."""
        return (kind, id_) in self._credited
