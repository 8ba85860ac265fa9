"""Actions ``Create``, ``Merge``, ``Update`` and ``Delete``. liquid_decisions.md §3, table of actions."""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import msgspec

from sandbox.faults.board import FaultBoard
from sandbox.http.messages import Request
from sandbox.ledger.ledger import Ledger
from sandbox.liquid_decisions.database import Database
from sandbox.liquid_decisions.faults import LateCommit
from sandbox.liquid_decisions.forms import as_text
from sandbox.liquid_decisions.item import Entry, Outcome, rejected
from sandbox.liquid_decisions.item_table import ItemTable, Row
from sandbox.liquid_decisions.settings import Settings

_MAX_ITEM_LENGTH = 2**20
"""Letters of JSON that one item may have, so that a query can hold any. [assumed]"""

_CREATED = Outcome("Created", changed=True)
_MERGED = Outcome("Merged", changed=True)
_REPLACED = Outcome("Replaced", changed=True)
_DELETED = Outcome("Deleted", changed=True)
_UNCHANGED = Outcome("Unchanged")
_ABSENT = Outcome("Absent")


class Source(NamedTuple):
    """Request that brought the entries, when they were due if not at once (seconds since 1970), and for how many
    seconds after it ``updates`` does not show them.
    """

    request: int
    endpoint: str
    at: float | None = None
    late_s: float = 0.0


def late_s(settings: Settings, faults: FaultBoard, request: Request) -> float:
    """Return for how many seconds after ``processedAt`` the feed does not show what this request writes. §15"""
    acting = faults.acting((LateCommit,), request.method, request.path, request.body)
    return max([settings.late_commit_s, *(fault.seconds for fault in acting)])


class _Write(NamedTuple):
    """Entry that fits. ``row`` is the stored item with the key."""

    table: ItemTable
    key: str
    row: Row | None
    data: dict[str, Any]
    action: str
    client_id: str | None
    now_ms: int
    shown_ms: int | None
    """When the feed will show it; null: at once."""


class Writer:
    """Writer of the items of one community."""

    def __init__(self, settings: Settings, database: Database, ledger: Ledger) -> None:
        self._settings = settings
        self._database = database
        self._ledger = ledger
        self._acts: dict[str, Callable[[_Write], Outcome]] = {
            "Create": self._create,
            "Merge": self._merge,
            "Update": self._update,
            "Delete": self._delete,
        }

    def write(self, entries: Sequence[Entry], source: Source) -> list[Outcome]:
        """Apply the entries one by one in their order; a rejected one does not undo others. §4 [assumed]"""
        with self._database.transaction(source.at) as now_ms:
            shown_ms = now_ms + int(1000 * source.late_s) if source.late_s else None
            keys, outcomes = [], []
            for entry in entries:
                key, outcome = self._apply(entry, now_ms, shown_ms)
                keys.append(key)
                outcomes.append(outcome)
        self._record(entries, keys, outcomes, source, now_ms)
        return outcomes

    def _apply(self, entry: Entry, now_ms: int, shown_ms: int | None) -> tuple[str, Outcome]:
        table = self._table(entry)
        if isinstance(table, Outcome):
            return "", table
        key = table.fields.key(entry.data)
        if isinstance(key, Outcome):
            return "", key
        action = entry.action
        if not isinstance(action, str) or action not in self._acts:
            return key, rejected("UnknownAction", f"expected one of {', '.join(self._acts)}, got {str(action)[:40]!r}")
        reject = None if action == "Delete" else table.fields.check(entry.data)
        if reject is not None:
            return key, reject
        client_id = entry.headers.get("clientId")
        write = _Write(table, key, table.find(key), entry.data, action, _text(client_id), now_ms, shown_ms)
        return key, self._acts[action](write)

    def _table(self, entry: Entry) -> ItemTable | Outcome:
        """Return the table of the item's type; for an item of another category the type is unknown. [assumed]"""
        if entry.reject is not None:
            return entry.reject
        name = entry.headers.get("type")
        table = self._database.tables.get(name) if isinstance(name, str) else None
        if table is None:
            return rejected("UnknownType", f"no item type {str(name)[:128]!r}")
        category = entry.headers.get("category", table.item_type.category)
        if category != table.item_type.category:
            return rejected("UnknownType", f"no item type {name!r} of category {str(category)[:40]!r}")
        return table

    def _create(self, write: _Write) -> Outcome:
        if write.row is not None and not self._settings.create_overrides:
            return rejected("DuplicateKey", f"{', '.join(write.table.item_type.key_fields)} {write.key} already exists")
        return self._put(write, write.data, _REPLACED)

    def _merge(self, write: _Write) -> Outcome:
        """Set only the given fields; a given array replaces the stored one."""
        data = write.data if write.row is None else {**write.row.fields, **write.data}
        return self._put(write, data, _MERGED)

    def _update(self, write: _Write) -> Outcome:
        """Replace the whole item."""
        if write.row is None and self._settings.update_needs_item:
            return rejected("NotFound", f"no {write.table.item_type.name} {write.key}")
        return self._put(write, write.data, _REPLACED)

    def _delete(self, write: _Write) -> Outcome:
        if write.row is not None:
            write.table.delete(write.row)
            return _DELETED
        if self._settings.delete_needs_item:
            return rejected("NotFound", f"no {write.table.item_type.name} {write.key}")
        return _ABSENT

    def _put(self, write: _Write, data: dict[str, Any], changed: Outcome) -> Outcome:
        text = _encode(data).decode()
        if len(text) > _MAX_ITEM_LENGTH:
            return rejected("InvalidField", f"the item is longer than {_MAX_ITEM_LENGTH:,}")
        table, key, before, _, action, client_id, now_ms, shown_ms = write
        if before is None:
            serial = self._database.next_serial()
            table.insert(key, Row(serial, action, client_id, 1, now_ms, now_ms, now_ms, text))
            table.hide(serial, None, shown_ms)
            return _CREATED
        same = text == before.data
        revision, updated_ms = (before.revision, before.updated_ms) if same else (before.revision + 1, now_ms)
        client_id = before.client_id if client_id is None else client_id
        table.change(Row(before.serial, action, client_id, revision, before.created_ms, updated_ms, now_ms, text))
        table.hide(before.serial, before, shown_ms)
        return _UNCHANGED if same else changed

    def _record(
        self, entries: Sequence[Entry], keys: list[str], outcomes: list[Outcome], source: Source, now_ms: int
    ) -> None:
        self._ledger.record(
            at=now_ms / 1000,
            request=source.request,
            endpoint=source.endpoint,
            family="item",
            objects=[_text(entry.headers.get("type")) or "" for entry in entries],
            keys=keys,
            identifiers=list(map(self._identifier, entries)),
            operations=[_text(entry.action) or "" for entry in entries],
            effects=[outcome.effect for outcome in outcomes],
            changed=[outcome.changed for outcome in outcomes],
        )

    def _identifier(self, entry: Entry) -> str | None:
        """Return what tells the entry from others: the value of the field that the settings name, or ``clientId``."""
        name = self._settings.identifier_field
        return as_text(entry.data.get(name)) if name else _text(entry.headers.get("clientId"))


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None


_encode = msgspec.json.Encoder().encode
