"""Ids that answers have shown: the newest of each kind of object, and those that are ours.

Ids grow, each kind by itself (§15 [inferred]): what has a greater id than any that was shown before a create was sent
may be that create's, and what has not is older.
"""

from collections import OrderedDict
from collections.abc import Mapping
from typing import NamedTuple

from sluice.destinations.bloom_growth.assumptions import MAX_CREDITED
from sluice.flow.batch import Item


class _Maker(NamedTuple):
    """An item: its event, and where it was read, since a redriven one has another place."""

    event_id: str
    lane: int
    topic: int
    offset: int


class SeenIds:
    """Memory of one process."""

    def __init__(self, max_credited: int = MAX_CREDITED) -> None:
        self._newest: dict[str, int] = {}
        self._max_credited = max_credited
        self._credited: OrderedDict[tuple[str, int], _Maker] = OrderedDict()
        self._made: dict[_Maker, int] = {}

    @property
    def newest(self) -> Mapping[str, str]:
        """The greatest id of each kind that any answer has shown so far."""
        return {kind: str(id_) for kind, id_ in self._newest.items()}

    def saw(self, kind: str, id_: int) -> None:
        """Take note of an id in an answer."""
        if id_ > self._newest.get(kind, 0):
            self._newest[kind] = id_

    def credit(self, kind: str, id_: int, item: Item) -> None:
        """Take note that the record ``id_`` is that of ``item``, and of no other."""
        self.saw(kind, id_)
        maker = _maker(item)
        self._credited[kind, id_] = maker
        self._made[maker] = id_
        if len(self._credited) > self._max_credited:
            _, oldest = self._credited.popitem(last=False)
            self._made.pop(oldest, None)

    def is_credited(self, kind: str, id_: int) -> bool:
        """Return whether the record is known to be some item's."""
        return (kind, id_) in self._credited

    def made_by(self, item: Item) -> int | None:
        """Return the record that ``item`` is known to have made: its lane may have been lost before its receipt."""
        return self._made.get(_maker(item))


def _maker(item: Item) -> _Maker:
    return _Maker(item.event.event_id, item.lane, item.topic, item.offset)
