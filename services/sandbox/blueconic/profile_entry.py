"""An entry of ``PUT /profiles`` and its result, as on the wire. blueconic.md §4 [spec]."""

from typing import Annotated, Literal

import msgspec
from msgspec import UNSET, UnsetType

from sandbox.blueconic.rules import Errors, Rule
from sandbox.blueconic.timeline import EventEntry, EventResult

State = Literal[
    "CREATED",
    "MODIFIED",
    "UNCHANGED",
    "SKIPPED",
    "NOTFOUND",
    "DELETED",
    "RESTRICTION_MISMATCH",
    "CONSENT_MISMATCH",
    "UNAUTHORIZED",
]
Legislation = Annotated[str, msgspec.Meta(pattern="^[A-Z][A-Z0-9_]*$")]
"""One of 49 words, of which the document names ``NONE``, ``GDPR`` and ``CCPA``; any word of that form is accepted."""


class ProfileRule(Rule, kw_only=True, gc=False):
    """A rule that may apply to new or to existing profiles only."""

    restriction: Literal["ALL_PROFILES", "EXISTING_PROFILES_ONLY", "NEW_PROFILES_ONLY"] = "ALL_PROFILES"


class Match(msgspec.Struct, kw_only=True, gc=False):
    """A unique property and the value to look a profile up by."""

    id: str
    value: str


class SegmentRestriction(msgspec.Struct, kw_only=True, rename="camel", gc=False):
    """Restriction of a write to profiles in this segment."""

    is_member_of_segment: str


class ProfileEntry(msgspec.Struct, kw_only=True, rename="camel"):
    """One entry of the array. No field is required; unknown ones are ignored."""

    profile_id: str | UnsetType = UNSET
    matching: list[list[Match]] = []
    strategy: Literal["UPSERT", "UPDATE", "DELETE"] = "UPDATE"
    properties: list[ProfileRule] = []
    timeline: list[EventEntry] = []
    identifier: str | UnsetType = UNSET
    domain_group: str = "DEFAULT"
    permission_level: Literal["DO_NOT_TRACK", "ANONYMOUS", "PERSONAL"] = "PERSONAL"
    privacy_legislation: Legislation | UnsetType = UNSET
    restriction: SegmentRestriction | UnsetType = UNSET
    trigger_on_property_change: bool = True
    trigger_on_event_added: bool = False


class ProfileResult(msgspec.Struct, kw_only=True, rename="camel"):
    """Result of one entry. ``timeline`` is absent for deletes [spec], and where no profile was written [assumed]."""

    profile_id: str | UnsetType
    state: State
    identifier: str | UnsetType
    timeline: list[EventResult] | UnsetType = UNSET
    validation_errors: Errors | UnsetType = UNSET
