"""``PUT /profiles``: creates, updates and deletes profiles, with their timeline events, each entry independently.
blueconic.md §4."""

import uuid
from typing import NamedTuple

from msgspec import UNSET, UnsetType

from sandbox.blueconic.profile_entry import Match, ProfileEntry, ProfileResult, SegmentRestriction, State
from sandbox.blueconic.profile_table import Profile, ProfileTable
from sandbox.blueconic.rules import Errors, PropertyRules, Values
from sandbox.blueconic.segments import Segments
from sandbox.blueconic.settings import Settings
from sandbox.blueconic.timeline import Timeline, Written
from sandbox.clock import Clock
from sandbox.http.messages import Request
from sandbox.ledger.ledger import Ledger

_CHANGES = frozenset({"CREATED", "MODIFIED", "DELETED"})
_NEEDS_NO_CONSENT = frozenset({"", "NONE"})


class _Outcome(NamedTuple):
    """Outcome of an entry, from which its result is made."""

    state: State
    profile_id: str | UnsetType | None
    errors: Errors | None = None
    events: list[Written] | None = None


class Profiles:
    """The profiles of a tenant, and the bulk call that writes them."""

    def __init__(self, settings: Settings, clock: Clock, ledger: Ledger) -> None:
        self._settings = settings
        self._clock = clock
        self._ledger = ledger
        self._rules = PropertyRules(settings.defined_properties)
        self.timeline = Timeline(settings.event_types)
        self.segments = Segments(settings)
        self.clear()

    def clear(self) -> None:
        self.table = ProfileTable(self._settings.unique_properties)
        self.segments.clear()

    def write(self, request: Request, entries: list[ProfileEntry]) -> list[ProfileResult]:
        """Apply entries in array order, each seeing the effects of earlier ones. §3 [assumed]"""
        now_ms = self._clock.now_ms()
        objectives = frozenset((request.argument("objectiveIds") or "").split(",")) - {""}
        outcomes = [self._apply(entry, objectives, now_ms) for entry in entries]
        self._record_entries(request.number, entries, outcomes, now_ms)
        self._record_events(request.number, entries, outcomes, now_ms)
        return [_result(entry, outcome) for entry, outcome in zip(entries, outcomes, strict=True)]

    def _apply(self, entry: ProfileEntry, objectives: frozenset[str], now_ms: int) -> _Outcome:
        if any(rule.id in self._settings.pii_properties for rule in entry.properties):
            return _Outcome("UNAUTHORIZED", entry.profile_id)
        problem = self._matching_problem(entry)
        if problem is not None:
            return _Outcome("SKIPPED", entry.profile_id, problem)
        profile_id = self._find(entry)
        profile = self.table.get(profile_id) if profile_id else None
        if profile is None and entry.strategy != "UPSERT":
            return _Outcome("NOTFOUND", entry.profile_id)
        if not self._is_in_segment(entry, profile_id, profile):
            return _Outcome("RESTRICTION_MISMATCH", profile_id)
        if profile is not None and profile_id and entry.strategy == "DELETE":
            self.table.delete(profile_id)
            self.segments.remove(profile_id)
            return _Outcome("DELETED", profile_id)
        return self._store(entry, profile_id or str(uuid.uuid4()), profile, objectives, now_ms)

    def _store(
        self, entry: ProfileEntry, profile_id: str, profile: Profile | None, objectives: frozenset[str], now_ms: int
    ) -> _Outcome:
        values = _initial_values(entry) if profile is None else profile.values
        before = {} if profile is None else dict(values)
        unwanted = "EXISTING_PROFILES_ONLY" if profile is None else "NEW_PROFILES_ONLY"
        rules = [rule for rule in entry.properties if rule.restriction != unwanted]
        applied = self._rules.apply(rules, values)
        if rules and applied.failed == len(rules):
            return _Outcome("SKIPPED", profile_id if profile else entry.profile_id, applied.errors)
        if not _consents(values, objectives):
            return _Outcome("CONSENT_MISMATCH", profile_id if profile else entry.profile_id)
        stored = profile or Profile(self.table.next_serial(), now_ms, entry.permission_level, values, [])
        written = [self.timeline.write(event, stored.events, now_ms) for event in entry.timeline]
        if any(one.changed for one in written):
            stored.events = self.timeline.kept(stored.events, now_ms)
        self.table.put(profile_id, stored, before)
        if profile is None or applied.changed or any(one.changed for one in written):
            self.segments.put(profile_id, stored.values, serial=stored.serial, modified_ms=now_ms)
        state: State = "CREATED" if profile is None else "MODIFIED" if applied.changed else "UNCHANGED"
        return _Outcome(state, profile_id, applied.errors, written)

    def _find(self, entry: ProfileEntry) -> str | None:
        """Return the id of the entry's profile. ``profileId`` overrides ``matching``, which looks in the entry's domain
        group only [spec]; of several matches the first created is used [assumed]."""
        if entry.profile_id:
            return entry.profile_id
        return self.table.first_in_domain(map(_pairs, entry.matching), entry.domain_group)

    def _matching_problem(self, entry: ProfileEntry) -> Errors | None:
        """Return the error of ``matching`` that is ``SKIPPED``: no property, or one that is not unique. [assumed]"""
        if entry.profile_id:
            return None
        for inner in entry.matching:
            if not inner:
                return {"matching": ["expected at least one property to match by"]}
            for pair in inner:
                if pair.id not in self._settings.unique_properties:
                    return {pair.id: ["expected a property marked as unique identifier"]}
        return None

    def _is_in_segment(self, entry: ProfileEntry, profile_id: str | None, profile: Profile | None) -> bool:
        """Return whether the profile is in the required segment; one that does not exist yet is in none. [assumed]"""
        if not isinstance(entry.restriction, SegmentRestriction):
            return True
        if profile is None or profile_id is None:
            return False
        return entry.restriction.is_member_of_segment in self.segments.of(profile_id, profile.values)

    def _record_entries(self, request: int, entries: list[ProfileEntry], outcomes: list[_Outcome], now_ms: int) -> None:
        states = [outcome.state for outcome in outcomes]
        self._ledger.record(
            at=now_ms / 1000,
            request=request,
            endpoint="PUT /profiles",
            family="profile",
            objects=[""] * len(entries),
            keys=[outcome.profile_id or _match_text(entry) for entry, outcome in zip(entries, outcomes, strict=True)],
            identifiers=[entry.identifier or None for entry in entries],
            operations=[entry.strategy for entry in entries],
            effects=states,
            changed=[state in _CHANGES for state in states],
        )

    def _record_events(self, request: int, entries: list[ProfileEntry], outcomes: list[_Outcome], now_ms: int) -> None:
        written = [
            (f"{outcome.profile_id}/{one.result.id}", event, one)
            for entry, outcome in zip(entries, outcomes, strict=True)
            for event, one in zip(entry.timeline, outcome.events or (), strict=False)
        ]
        self._ledger.record(
            at=now_ms / 1000,
            request=request,
            endpoint="PUT /profiles",
            family="timeline",
            objects=[event.event_type_id or "" for _, event, _ in written],
            keys=[key for key, _, _ in written],
            identifiers=[event.identifier or None for _, event, _ in written],
            operations=[event.strategy for _, event, _ in written],
            effects=[one.result.state for _, _, one in written],
            changed=[one.changed for _, _, one in written],
        )


def _result(entry: ProfileEntry, outcome: _Outcome) -> ProfileResult:
    events = [one.result for one in outcome.events] if outcome.events else UNSET
    return ProfileResult(
        profile_id=outcome.profile_id or UNSET,
        state=outcome.state,
        identifier=entry.identifier,
        timeline=events,
        validation_errors=outcome.errors or UNSET,
    )


def _initial_values(entry: ProfileEntry) -> Values:
    legislation = {"privacy_legislation": [entry.privacy_legislation]} if entry.privacy_legislation else {}
    return {"domaingroup": [entry.domain_group], **legislation}


def _consents(values: Values, objectives: frozenset[str]) -> bool:
    """Return whether an objective has consent, or the zone needs none. §4 [spec]; no zone needs none [assumed]."""
    if not objectives or values.get("privacy_legislation", [""])[0] in _NEEDS_NO_CONSENT:
        return True
    return not objectives.isdisjoint(values.get("consented_objectives", ()))


def _pairs(inner: list[Match]) -> list[tuple[str, str]]:
    return [(pair.id, pair.value) for pair in inner]


def _match_text(entry: ProfileEntry) -> str:
    return " or ".join("&".join(f"{pair.id}={pair.value}" for pair in inner) for inner in entry.matching)
