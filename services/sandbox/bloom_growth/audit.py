"""The sandbox's own endpoints for audits: objects created, with their attendees, and notes as they arrived.

``GET /_sandbox/created`` tells "no issue twice, one meeting with all its attendees" in one call.
``GET /_sandbox/notes/{kind}/{id}`` shows notes at once, while their pad may still lag.
"""

from collections import Counter
from collections.abc import Iterator

import msgspec
from msgspec import UNSET, UnsetType

from sandbox.bloom_growth.pads import Pads
from sandbox.bloom_growth.rows import Meeting, Owned
from sandbox.bloom_growth.tenant import Tenant
from sandbox.http.messages import Request, Response, as_json, as_json_lines, first_values
from sandbox.ledger.ledger import Ledger, LedgerEntry, LedgerFilter


class Created(msgspec.Struct, frozen=True, kw_only=True):
    """One object that a client has created.

    title: as stored at the create, its first 200 characters. times: objects of this kind and title that were created.
    request, endpoint, at: the request that created it, and when. exists: it has not been deleted since. owner,
    meetings: as they are now, absent once it is gone. attendees: of a meeting, also of a deleted one.
    """

    object: str
    id: int
    title: str
    times: int
    request: int
    endpoint: str
    at: float
    exists: bool
    owner: int | UnsetType = UNSET
    meetings: list[int] | UnsetType = UNSET
    attendees: list[int] | UnsetType = UNSET


class CreatedFilter(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Filter for created objects: equal in every given field."""

    object: str | None = None
    title: str | None = None


class Audit:
    """Handlers over a tenant's objects and the entries that are still in its ledger."""

    def __init__(self, tenant: Tenant, pads: Pads, ledger: Ledger) -> None:
        self._tenant = tenant
        self._pads = pads
        self._ledger = ledger

    def created(self, request: Request) -> Response:
        try:
            wanted = msgspec.convert(first_values(request.query), CreatedFilter)
        except msgspec.ValidationError as error:
            return as_json({"error": f"expected a query of object, title; {error}"}, status=400)
        return as_json_lines(self._created(wanted))

    def notes(self, request: Request) -> Response:
        kind, key = request.params["kind"], request.params["id"]
        row = self._pads.noted(kind, key)
        if row is None:
            error = f"expected issue, todo or headline and its id; came {kind[:100]} {key[:100]}"
            return as_json({"error": error}, status=404)
        return as_json({"notes": row.notes})

    def _created(self, wanted: CreatedFilter) -> Iterator[Created]:
        times = Counter((entry.object, entry.identifier) for entry in self._entries(wanted))
        for entry in self._entries(wanted):
            yield self._look_up(entry, times[entry.object, entry.identifier])

    def _entries(self, wanted: CreatedFilter) -> Iterator[LedgerEntry]:
        sought = LedgerFilter(object=wanted.object, identifier=wanted.title, operation="create", effect="CREATED")
        return (entry for entry in self._ledger.entries(sought) if entry.object in self._tenant.records)

    def _look_up(self, entry: LedgerEntry, times: int) -> Created:
        row = self._tenant.records[entry.object].get(int(entry.key))
        found = Created(
            object=entry.object,
            id=int(entry.key),
            title=entry.identifier or "",
            times=times,
            request=entry.request,
            endpoint=entry.endpoint,
            at=entry.at,
            exists=row is not None,
        )
        match row:
            case Meeting():
                return msgspec.structs.replace(found, exists=not row.is_deleted, attendees=row.attendees)
            case Owned():
                return msgspec.structs.replace(found, owner=row.owner_id, meetings=list(row.meetings()))
            case _:
                return found
