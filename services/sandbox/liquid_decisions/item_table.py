"""Items of one type: a row each, their data as JSON, and the view that SQL sees. liquid_decisions.md §3, §6.

The columns of the view are read from the JSON. So an item takes one row however many fields it has, some 280 bytes for
six short ones, and a new field costs only a new view.
"""

import sqlite3
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any, NamedTuple

import msgspec

from sandbox.liquid_decisions.fields import Fields
from sandbox.liquid_decisions.item import item_id
from sandbox.liquid_decisions.settings import ItemType

_ROWS_AT_ONCE = 1000
_COLUMNS = "serial, action, client_id, revision, created_ms, updated_ms, processed_ms, data"
_SQL_ID = "printf('a1%014x', serial)"


class Row(NamedTuple):
    """Stored item; instants in epoch milliseconds, ``data`` is JSON."""

    serial: int
    action: str
    client_id: str | None
    revision: int
    created_ms: int
    updated_ms: int
    processed_ms: int
    data: str

    @property
    def fields(self) -> dict[str, Any]:
        found: dict[str, Any] = msgspec.json.decode(self.data)
        return found


class _Hidden(NamedTuple):
    """Write that the feed does not show yet: until when (epoch milliseconds), and the item before it, if any."""

    until_ms: int
    before: Row | None


class ItemTable:
    """Items of one type in one community, by key, by serial number, and by the instant of processing."""

    def __init__(self, connection: sqlite3.Connection, item_type: ItemType, community: str) -> None:
        self.item_type = item_type
        self.fields = Fields(item_type)
        self.view = f"{_table_word(community)}_{item_type.category}_{item_type.name}"
        self._execute = connection.execute
        self._viewed = 0
        self._hidden: dict[int, _Hidden] = {}
        table = self._table = quoted(f"items {item_type.name}")
        self._execute(
            f"CREATE TABLE {table} (serial INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE, action TEXT, client_id TEXT,"
            " revision INTEGER, created_ms INTEGER, updated_ms INTEGER, processed_ms INTEGER, data TEXT)"
        )
        self._index("processed", "processed_ms, serial")
        self._find = f"SELECT {_COLUMNS} FROM {table} WHERE key = ?"
        self._insert = f"INSERT INTO {table} ({_COLUMNS}, key) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"
        self._change = (
            f"UPDATE {table} SET action = ?, client_id = ?, revision = ?, updated_ms = ?, processed_ms = ?, data = ?"
            " WHERE serial = ?"
        )
        self._delete = f"DELETE FROM {table} WHERE serial = ?"

    def __len__(self) -> int:
        count: int = self._execute(f"SELECT count(*) FROM {self._table}").fetchone()[0]
        return count

    def find(self, key: str) -> Row | None:
        found = self._execute(self._find, (key,)).fetchone()
        return None if found is None else Row(*found)

    def insert(self, key: str, row: Row) -> None:
        self._execute(self._insert, (*row, key))

    def change(self, row: Row) -> None:
        """Write the changeable columns of the item with the row's serial number."""
        serial, action, client_id, revision, _, updated_ms, processed_ms, data = row
        self._execute(self._change, (action, client_id, revision, updated_ms, processed_ms, data, serial))

    def delete(self, row: Row) -> None:
        self._execute(self._delete, (row.serial,))
        self._hidden.pop(row.serial, None)

    def hide(self, serial: int, before: Row | None, until_ms: int | None) -> None:
        """Have the feed show the item as ``before`` until that instant; null shows it as it is."""
        hidden = self._hidden.pop(serial, None)
        if until_ms is not None:
            self._hidden[serial] = _Hidden(until_ms, before if hidden is None else hidden.before)

    def changes(self, after_ms: int, after_serial: int | None, count: int, now_ms: int) -> list[Row]:
        """Return rows by (processed, serial), strictly after the pair; without a serial, after the instant."""
        if self._hidden:
            self._hidden = {serial: one for serial, one in self._hidden.items() if one.until_ms > now_ms}
        after = (after_ms, 2**62 if after_serial is None else after_serial)
        found = [*islice(self._shown(*after), count), *self._shown_before(after)]
        return sorted(found, key=_place)[:count] if self._hidden else found

    def _shown(self, after_ms: int, after_serial: int) -> Iterator[Row]:
        """Yield the rows that are not hidden, in order.

        Ask twice: SQLite finds a pair by its first column alone, and one write gives its instant to many items.
        """
        query = f"SELECT {_COLUMNS} FROM {self._table} WHERE"
        same = self._execute(f"{query} processed_ms = ? AND serial > ? ORDER BY serial", (after_ms, after_serial))
        yield from (Row(*one) for one in same if one[0] not in self._hidden)
        later = self._execute(f"{query} processed_ms > ? ORDER BY processed_ms, serial", (after_ms,))
        yield from (Row(*one) for one in later if one[0] not in self._hidden)

    def _shown_before(self, after: tuple[int, int]) -> list[Row]:
        rows = (hidden.before for hidden in self._hidden.values())
        return [row for row in rows if row is not None and _place(row) > after]

    def by_serial(self, serials: Iterable[int]) -> dict[int, Row]:
        query = f"SELECT {_COLUMNS} FROM {self._table} WHERE serial = ?"
        found = (self._execute(query, (serial,)).fetchone() for serial in serials)
        return {one[0]: Row(*one) for one in found if one is not None}

    def scan(self) -> Iterator[Row]:
        """Yield every item in the order of creation."""
        query = f"SELECT {_COLUMNS} FROM {self._table} WHERE serial > ? ORDER BY serial LIMIT {_ROWS_AT_ONCE}"
        last = 0
        while rows := [Row(*one) for one in self._execute(query, (last,))]:
            yield from rows
            last = rows[-1].serial

    def refresh_view(self) -> None:
        """Give the view a column for every scalar field seen so far. §6 [docs:blog] header columns"""
        if self._viewed == len(self.fields.columns):
            return
        if not self._viewed:  # Made for the first query, since half of what a write costs would be these two.
            self._index("id", _SQL_ID)
            self._index("key", ", ".join(map(_extract, self.item_type.key_fields)))
        self._viewed = len(self.fields.columns)
        category, name = _literal(self.item_type.category), _literal(self.item_type.name)
        headers = (
            f"{_SQL_ID} AS h_id, {category} AS h_category, {name} AS h_type, action AS h_action,"
            " client_id AS h_clientId, revision AS h_revisionId, created_ms AS h_createdAt,"
            " updated_ms AS h_updatedAt, processed_ms AS h_processedAt"
        )
        columns = "".join(f", {_extract(field)} AS {quoted(field)}" for field in self.fields.columns)
        self._execute(f"DROP VIEW IF EXISTS {quoted(self.view)}")
        self._execute(f"CREATE VIEW {quoted(self.view)} AS SELECT {headers}{columns} FROM {self._table}")

    def as_item(self, row: Row, data: object = None) -> dict[str, object]:
        """Return the item as read back: the headers of §3 [assumed] minimum, and ``clientId`` if one was sent."""
        headers = {
            "id": item_id(row.serial),
            "category": self.item_type.category,
            "type": self.item_type.name,
            "action": row.action,
            "revisionId": row.revision,
            "createdAt": row.created_ms,
            "updatedAt": row.updated_ms,
            "processedAt": row.processed_ms,
        }
        if row.client_id is not None:
            headers["clientId"] = row.client_id
        return {"headers": headers, "data": msgspec.Raw(row.data.encode()) if data is None else data}

    def _index(self, name: str, columns: str) -> None:
        index = quoted(f"{name} of {self.item_type.name}")
        self._execute(f"CREATE INDEX IF NOT EXISTS {index} ON {self._table} ({columns})")


def _place(row: Row) -> tuple[int, int]:
    """Return the place of a row in the feed. §5 [assumed]"""
    return row.processed_ms, row.serial


def quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _extract(field: str) -> str:
    """Return the SQL that reads a field. ``Fields`` has checked its name, which needs no quoting inside the path."""
    return "json_extract(data, " + _literal('$."' + field + '"') + ")"


def _table_word(community: str) -> str:
    """Return the community in lower case (§6 [client:web]) and as one word [assumed]."""
    return "".join(letter if letter.isalnum() else "_" for letter in community.lower())
