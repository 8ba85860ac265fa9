"""Cursors of queries of more than a page, kept until long after the last page was read.

A cursor keeps the serials of the records, 8 bytes each, so that a client that never comes back costs little. A page
shows its records as they are when it is asked for, without records that have been hard-deleted since. [assumed]
"""

from array import array
from collections.abc import Sequence
from typing import NamedTuple

from sandbox.clock import Clock
from sandbox.salesforce import ids
from sandbox.salesforce.query_fields import QueryField
from sandbox.salesforce.sessions import OrgUser
from sandbox.salesforce.settings import Settings
from sandbox.salesforce.table import Table

_PREFIX = "01g"


class Cursor(NamedTuple):
    """Records of one query, in its order."""

    user: OrgUser
    table: Table
    fields: Sequence[QueryField]
    serials: "array[int]"
    ends_at: float


class Cursors:
    """Cursors by number, oldest first. A user has ten at most: the eleventh ends the first."""

    def __init__(self, settings: Settings, clock: Clock) -> None:
        self._settings = settings
        self._clock = clock
        self.clear()

    def clear(self) -> None:
        self._open: dict[int, Cursor] = {}
        self._made = 0

    def open(self, user: OrgUser, table: Table, fields: Sequence[QueryField], serials: "array[int]") -> str:
        """Keep a query's records and return the id of the cursor."""
        self._forget_old()
        own = [number for number, cursor in self._open.items() if cursor.user == user]
        for number in own[: max(0, len(own) + 1 - self._settings.max_query_cursors)]:
            del self._open[number]
        self._made += 1
        ends_at = self._clock.now() + self._settings.query_cursor_s
        self._open[self._made] = Cursor(user, table, fields, serials, ends_at)
        return ids.make(_PREFIX, self._made)

    def get(self, user: OrgUser, cursor_id: str) -> Cursor | None:
        """Return the user's own cursor of that id, of 15 or 18 characters."""
        self._forget_old()
        found = self._open.get(ids.serial_of(cursor_id, _PREFIX) or 0)
        return found if found is not None and found.user == user else None

    def _forget_old(self) -> None:
        while self._open and self._open[oldest := next(iter(self._open))].ends_at <= self._clock.now():
            del self._open[oldest]
