"""``PUT /groups``: creates, updates and deletes groups, each entry independently. blueconic.md §3."""

from typing import Literal

import msgspec
from msgspec import UNSET, UnsetType

from sandbox.blueconic.faults import ReadLag
from sandbox.blueconic.group_table import GroupTable
from sandbox.blueconic.rules import Errors, PropertyRules, Rule
from sandbox.blueconic.settings import Settings
from sandbox.clock import Clock
from sandbox.faults.board import FaultBoard
from sandbox.http.messages import Request, Response
from sandbox.ledger.ledger import Ledger

Strategy = Literal["UPSERT", "UPDATE", "DELETE"]
State = Literal["CREATED", "MODIFIED", "UNCHANGED", "NOTFOUND", "DELETED", "UNKNOWN_GROUP_TYPE", "SKIPPED"]

_CHANGES = frozenset({"CREATED", "MODIFIED", "DELETED"})


class GroupEntry(msgspec.Struct, kw_only=True, rename="camel", gc=False):
    """One entry of the array. No field is required; unknown ones are ignored. §3 [spec], [assumed]

    The schema says ``groupTypeId``, every example ``groupType``; both are accepted. A single rule may replace an array
    of rules. §9 [assumed]
    """

    group_type_id: str | UnsetType = UNSET
    group_type: str | UnsetType = UNSET
    group_id: str | UnsetType = UNSET
    strategy: Strategy = "UPDATE"
    domain_group: str = "DEFAULT"
    identifier: str | UnsetType = UNSET
    properties: list[Rule] | Rule = []


class GroupResult(msgspec.Struct, kw_only=True, rename="camel", gc=False):
    """Result of one entry; absent fields are left out. §3 [spec]"""

    group_id: str | UnsetType
    group_type_id: str | UnsetType
    state: State
    identifier: str | UnsetType
    validation_errors: Errors | UnsetType = UNSET


class Groups:
    """The groups of a tenant, and the bulk call that writes them."""

    def __init__(self, settings: Settings, clock: Clock, ledger: Ledger, faults: FaultBoard) -> None:
        self._clock = clock
        self._faults = faults
        self._ledger = ledger
        self._rules = PropertyRules(settings.defined_properties)
        self._pii = settings.pii_properties
        self._lag_ms = round(settings.read_lag_s * 1000)
        self._by_modification = settings.lists_by_modification
        self._types = [group_type.id for group_type in settings.group_types]
        self.clear()

    def clear(self) -> None:
        self.tables = {group_type: GroupTable(by_modification=self._by_modification) for group_type in self._types}

    def write(self, request: Request, entries: list[GroupEntry]) -> list[GroupResult] | Response:
        """Apply entries in array order, each seeing the effects of earlier ones. §3 [assumed]"""
        if self._pii and any(rule.id in self._pii for entry in entries for rule in _rules(entry)):
            return Response(status=403)  # For the whole request, while profiles answer per entry: §9 R96.
        now_ms = self._clock.now_ms()
        faults = self._faults.acting((ReadLag,), request.method, request.path, request.body)
        lag_ms = max([self._lag_ms, *(round(fault.seconds * 1000) for fault in faults)])
        for table in self.tables.values():
            table.lag_ms = lag_ms
        results = [self._apply(entry, now_ms) for entry in entries]
        states = [result.state for result in results]
        self._ledger.record(
            at=now_ms / 1000,
            request=request.number,
            endpoint="PUT /groups",
            family="group",
            objects=[result.group_type_id or "" for result in results],
            keys=[result.group_id or "" for result in results],
            identifiers=[result.identifier or None for result in results],
            operations=[entry.strategy for entry in entries],
            effects=states,
            changed=[state in _CHANGES for state in states],
        )
        return results

    def _apply(self, entry: GroupEntry, now_ms: int) -> GroupResult:
        group_type = entry.group_type_id or entry.group_type
        table = self.tables.get(group_type) if group_type else None
        errors: Errors = {}
        state: State
        if table is None:
            state = "UNKNOWN_GROUP_TYPE"
        elif not entry.group_id:
            state, errors = "SKIPPED", {"groupId": ["expected the id of a group"]}
        elif entry.strategy == "DELETE":
            state = "DELETED" if table.delete(entry.group_id, now_ms) else "NOTFOUND"
        else:
            state, errors = self._update(table, entry.group_id, entry, now_ms)
        return GroupResult(
            group_id=entry.group_id,
            group_type_id=group_type,
            state=state,
            identifier=entry.identifier,
            validation_errors=errors or UNSET,
        )

    def _update(self, table: GroupTable, group_id: str, entry: GroupEntry, now_ms: int) -> tuple[State, Errors]:
        group = table.get(group_id)
        if group is None and entry.strategy == "UPDATE":
            return "NOTFOUND", {}
        values = {"domaingroup": [entry.domain_group]} if group is None else group.values
        rules = _rules(entry)
        applied = self._rules.apply(rules, values)
        if rules and applied.failed == len(rules):
            return "SKIPPED", applied.errors
        if group is None:
            table.create(group_id, values, now_ms)
            return "CREATED", applied.errors
        if not applied.changed:
            return "UNCHANGED", applied.errors
        table.modify(group_id, group, now_ms)
        return "MODIFIED", applied.errors


def _rules(entry: GroupEntry) -> list[Rule]:
    return entry.properties if isinstance(entry.properties, list) else [entry.properties]
