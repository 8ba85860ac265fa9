"""Ids that answers have shown: the newest of each kind of object, and those that are ours.

Ids grow, each kind by itself (§15 [inferred]): what has a greater id than any that was shown before a create was sent
may be that create's, and what has not is older.
"""

from collections import OrderedDict
from collections.abc import Hashable, Mapping
from typing import TypeVar

from sluice.destinations.bloom_growth.assumptions import MAX_CREDITED

Name = TypeVar("Name", bound=Hashable)
Value = TypeVar("Value")


class SeenIds:
    """Memory of one process."""

    def __init__(self, max_credited: int = MAX_CREDITED) -> None:
        self._newest: dict[str, int] = {}
        self._max_credited = max_credited
        self._credited: OrderedDict[tuple[str, int], None] = OrderedDict()
        self._made: OrderedDict[Hashable, int] = OrderedDict()

    @property
    def newest(self) -> Mapping[str, str]:
        """The greatest id of each kind that any answer has shown so far."""
        return {kind: str(id_) for kind, id_ in self._newest.items()}

    def saw(self, kind: str, id_: int) -> None:
        """Take note of an id in an answer."""
        if id_ > self._newest.get(kind, 0):
            self._newest[kind] = id_

    def credit(self, kind: str, id_: int, identity: object) -> None:
        """Take note that the record ``id_`` is that of an item with ``identity``, and of no other item."""
        self.saw(kind, id_)
        _remember(self._credited, (kind, id_), None, self._max_credited)
        _remember(self._made, identity, id_, self._max_credited)

    def is_credited(self, kind: str, id_: int) -> bool:
        """Return whether the record is known to be another item's."""
        return (kind, id_) in self._credited

    def twin_of(self, identity: object) -> int | None:
        """Return the newest record that this process has made for ``identity``."""
        return self._made.get(identity)


def _remember(memory: OrderedDict[Name, Value], name: Name, value: Value, size: int) -> None:
    memory[name] = value
    memory.move_to_end(name)
    if len(memory) > size:
        memory.popitem(last=False)
