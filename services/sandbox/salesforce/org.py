"""One org: its records, and the operations on them. An API needs ``Org.write`` and ``Org.query`` only.

The APIs also share ``schedule`` (actions due later), ``holding`` (actions due on release), ``sessions``, ``limits``,
``jobs``, ``cursors`` and ``faults``.
"""

from collections.abc import Sequence
from typing import NamedTuple

from sandbox.clock import Clock
from sandbox.faults.board import FaultBoard
from sandbox.http.messages import Request
from sandbox.ledger.ledger import Ledger
from sandbox.salesforce.columns import check_mapped, read_columns
from sandbox.salesforce.faults import (
    CompletedWithMessage,
    FailBatch,
    HideFields,
    LateResults,
    LockParents,
    LockRows,
    RefuseRows,
    SlowJob,
    StateGoesBack,
)
from sandbox.salesforce.holding import Holding
from sandbox.salesforce.jobs import Jobs
from sandbox.salesforce.limits import Limits
from sandbox.salesforce.objects import ObjectType
from sandbox.salesforce.origin import Origin
from sandbox.salesforce.parent_locks import BatchLocks, ParentLocks
from sandbox.salesforce.query import QueryResult, check_query, run_query
from sandbox.salesforce.refusals import BatchRefused
from sandbox.salesforce.rest_query.cursors import Cursors
from sandbox.salesforce.results import RowError, RowResult
from sandbox.salesforce.row_writer import Row, RowWriter, WrittenRow
from sandbox.salesforce.schedule import Schedule
from sandbox.salesforce.sessions import OrgUser, Sessions
from sandbox.salesforce.settings import Settings
from sandbox.salesforce.table import Table

_ROW_FAULTS: tuple[type[LockRows | RefuseRows], ...] = (LockRows, RefuseRows)


class PhaseTimes(NamedTuple):
    """Length of each phase of a batch or job, in seconds of the sandbox's clock."""

    queued_s: float
    in_progress_s: float


class Org:
    """Records of one org."""

    def __init__(self, settings: Settings, clock: Clock, ledger: Ledger, faults: FaultBoard) -> None:
        self.settings = settings
        self.clock = clock
        self.ledger = ledger
        self.faults = faults
        self.schedule = Schedule(clock)
        self.sessions = Sessions(settings, clock)
        self.limits = Limits(settings, clock)
        self.jobs = Jobs(settings, clock)
        self.cursors = Cursors(settings, clock)
        self.holding = Holding(faults, clock)
        self._fill()

    def reset(self) -> None:
        """Forget records, jobs, also held ones, cursors, sessions and counts."""
        self.schedule.clear()
        self.sessions.expire_all()
        self.limits.clear()
        self.jobs.clear()
        self.cursors.clear()
        self.holding.clear()
        self._fill()

    def _fill(self) -> None:
        self._parent_locks = ParentLocks()
        self.tables = {kind.name.lower(): Table(kind) for kind in self.settings.objects}
        users = self.tables.get("user")
        if users is not None:
            for user in self.settings.users:
                self._add_user(users, user.username, user.full_name)

    def _add_user(self, users: Table, username: str, full_name: str) -> None:
        """Add a user as a record, so that its id leads somewhere."""
        *first_names, last_name = full_name.split()
        values = {"username": username, "lastname": last_name, "firstname": " ".join(first_names), "email": username}
        slots = users.kind.slots
        users.insert({slots[name]: value for name, value in values.items() if name in slots}, 1, self.clock.now())

    def object_type(self, name: str) -> ObjectType:
        """Return the object of that name in any case. Raises ``BatchRefused`` ``InvalidEntity``. §3.11"""
        table = self.tables.get(name.lower())
        if table is None:
            raise BatchRefused("InvalidEntity", f"Unable to find object: {name}")
        if not table.kind.bulk:
            raise BatchRefused("InvalidEntity", f"Entity '{name}' is not supported by the Bulk API.")
        return table.kind

    def key_slot(self, kind: ObjectType, external_id: str | None) -> int | None:
        """Return the slot of an upsert's external id; null for ``Id``. Raises ``BatchRefused``. §3.11, §6"""
        if not external_id:
            message = f"External ID was blank for {kind.name}. An External ID must be specified for upsert."
            raise BatchRefused("InvalidJob", message)
        if external_id.lower() == "id":
            return None
        slot = kind.slot(external_id)
        if slot is None or not kind.all_fields[slot].external_id:
            message = (
                f"Field name provided, {external_id} does not match an External ID, Salesforce Id, or indexed field"
            )
            raise BatchRefused("InvalidJob", f"{message} for {kind.name}")
        return slot

    def check_permission(self, user: OrgUser, operation: str) -> None:
        """Raise ``BatchRefused`` ``FeatureNotEnabled`` when a user without the permission hard-deletes. §3.11 [docs]"""
        if operation == "hardDelete" and not user.user.may_hard_delete:
            raise BatchRefused("FeatureNotEnabled", "hardDelete permission is not enabled for this user")

    def write(
        self,
        operation: str,
        object_name: str,
        columns: Sequence[str],
        rows: Sequence[Row],
        *,
        origin: Origin,
        external_id: str | None = None,
        at: float | None = None,
        since: float | None = None,
        is_json: bool = False,
    ) -> list[RowResult]:
        """Apply one batch, now or as of ``at``, and return a result per row, in order. It was in progress ``since``.

        A cell is a text, or a JSON value; ``None`` sets null, ``""`` leaves the field as it is (§6 [docs]): ``#N/A``
        has been read as ``None`` before. Raises ``BatchRefused``, with nothing applied, for an unknown object or
        column, for more columns than ``Id`` in a delete, for an upsert without a good external id, for a missing
        permission. Rows of JSON are refused one by one for an unknown column, and all for a value of another type.
        §13.14 [issues simple-salesforce 313, 366, 372, 817]
        """
        kind = self.object_type(object_name)
        self.check_permission(origin.user, operation)
        if operation in ("delete", "hardDelete") and [name.lower() for name in columns] != ["id"]:
            raise BatchRefused("InvalidBatch", f"The '{operation}' batch must contain only ids")
        table = self.tables[kind.name.lower()]
        key_slot = self.key_slot(kind, external_id) if operation == "upsert" else None
        hidden = self.hidden_fields(kind, origin.method, origin.path)
        found = read_columns(columns, kind, self.tables, key_slot, takes_unknown=is_json, hidden=hidden)
        if is_json:
            check_mapped(found, kind, rows)
        at = self.clock.now() if at is None else at
        locks = self._locks(origin, at if since is None else since, at)
        writing = RowWriter(table, found, key_slot=key_slot, creator=origin.user.number, at=at, locks=locks)
        refused = self._refused_by_faults(origin, len(rows))
        written = [*refused, *writing.write(operation, rows[len(refused) :])]
        self._record(origin, operation, kind, columns, rows, written, at, external_id)
        return [one.result for one in written]

    def query(self, soql: str, *, with_deleted: bool = False) -> QueryResult:
        """Run bulk SOQL; ``with_deleted`` for ``queryAll``. Raises ``QueryRefused``."""
        return run_query(soql, self.tables, with_deleted=with_deleted)

    def check_query(self, soql: str) -> str:
        """Return the name of the object that is queried, without running the query. Raises ``QueryRefused``."""
        return check_query(soql, self.tables)

    def phases(self, origin: Origin) -> PhaseTimes:
        """Return how long the batch or job that ``origin`` brought takes; uses up a ``SlowJob`` fault."""
        for fault in self.faults.acting((SlowJob,), origin.method, origin.path):
            return PhaseTimes(fault.phase_s, fault.phase_s)
        return PhaseTimes(self.settings.queued_s, self.settings.in_progress_s)

    def batch_failure(self, origin: Origin) -> FailBatch | None:
        """Return the fault, if any, that fails the batch at hand after some of its rows; uses it up."""
        return next(self.faults.acting((FailBatch,), origin.method, origin.path), None)

    def end_message(self, origin: Origin) -> str:
        """Return the message that a fault puts on a batch or job that is complete; uses it up. §13.6"""
        found = next(self.faults.acting((CompletedWithMessage,), origin.method, origin.path), None)
        return found.message if found else ""

    def goes_back(self, request: Request) -> bool:
        """Return true when a fault shows a batch or job that has ended in progress; uses it up. §13.5"""
        return next(self.faults.acting((StateGoesBack,), request.method, request.path, request.body), None) is not None

    def are_late(self, request: Request) -> bool:
        """Return true when a fault refuses results that are there; uses it up. §13.5"""
        return next(self.faults.acting((LateResults,), request.method, request.path, request.body), None) is not None

    def hidden_fields(self, kind: ObjectType, method: str, path: str) -> frozenset[str]:
        """Return the fields, in lower case, that faults hide from a request. §13.15"""
        faults = self.faults.acting((HideFields,), method, path)
        return frozenset(
            name.lower() for one in faults if one.object.lower() == kind.name.lower() for name in one.fields
        )

    def catch_up(self) -> None:
        """Run the actions that are due, and drop old jobs."""
        self.schedule.catch_up()
        self.jobs.forget_old()

    def _locks(self, origin: Origin, since: float, until: float) -> BatchLocks | None:
        """Return the locks of a batch where a fault makes batches contend. §13.18"""
        for _ in self.faults.acting((LockParents,), origin.method, origin.path):
            return self._parent_locks.batch(since, until)
        return None

    def _refused_by_faults(self, origin: Origin, count: int) -> list[WrittenRow]:
        """Return the results of the first rows, which faults refuse; none of these rows is applied."""
        refused: list[WrittenRow] = []
        for fault in self.faults.acting(_ROW_FAULTS, origin.method, origin.path):
            if isinstance(fault, LockRows):
                error = RowError("UNABLE_TO_LOCK_ROW", "unable to obtain exclusive access to this record")
            else:
                error = RowError(fault.status_code, fault.message or fault.status_code, fault.fields)
            one = WrittenRow(RowResult("", False, False, (error,)), error.status_code, False)
            refused += [one] * min(fault.rows, count - len(refused))
        return refused

    def _record(
        self,
        origin: Origin,
        operation: str,
        kind: ObjectType,
        columns: Sequence[str],
        rows: Sequence[Row],
        written: Sequence[WrittenRow],
        at: float,
        external_id: str | None,
    ) -> None:
        """Record one ledger entry per row. Its key is the external id's value, else the record's id."""
        sent_keys = _column(columns, rows, external_id or "id")
        self.ledger.record(
            at=at,
            request=origin.number,
            endpoint=origin.endpoint,
            family=kind.name,
            objects=[""] * len(rows),
            keys=[key or one.result.id for key, one in zip(sent_keys, written, strict=True)],
            identifiers=list(_column(columns, rows, self.settings.identifier_field)),
            operations=[operation] * len(rows),
            effects=[one.effect for one in written],
            changed=[one.changed for one in written],
        )


def _column(columns: Sequence[str], rows: Sequence[Row], name: str) -> Sequence[str | None]:
    """Return the texts of the rows in a column; only nulls when there is no such column."""
    for place, column in enumerate(columns):
        if column.lower() == name.lower():
            return [str(row[place] or "") for row in rows]
    return [None] * len(rows)
