"""What a tenant is like, and every choice that the wire document leaves open or marks [assumed].

What a user may know better is a setting. The rest, chosen here and done where it belongs:

- A rule without `strategy` is a `SET`, and so is a timeline event. A JSON null is a value of the wrong type.
- A missing scope is a 403 where the endpoint declares 403, else a 401.
- Group types are checked before group ids. A domain group is no part of a group's identity, nor of a profile id's;
  `matching` looks in its own domain group only.
- gzip is used on the two bulk calls only, where §3 has it. Their Content-Type is not looked at: no status is given for
  another one.
- A profile of which only events changed is `UNCHANGED`; an entry that writes no profile gets no `timeline` back.
- An event of an unknown type is `REJECTED`; properties that its type does not list are taken as they come.
- Of too many events the latest stay. Event values come back as strings, as all values do (§8).
- Searches by several properties want all of them. More hits than `maxHitsAllowed` are a 400, and so is any
  `refinement`, whose language the document does not give. `collapse` and the triggers are taken and do nothing.
- Profiles are never merged. The segment of a profile follows from its values.
"""

import msgspec

from sandbox.blueconic.endpoints import ALL_SCOPES
from sandbox.blueconic.event_types import ORDER, EventType


class GroupType(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A kind of group, as `GET /groupTypes` shows it. §8 [spec]."""

    id: str
    name: str
    plural_name: str


class Segment(msgspec.Struct, frozen=True, kw_only=True):
    """The profiles whose `property` has `value`. The document names segments, not how they are made. [assumed]"""

    id: str
    property: str
    value: str


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """One tenant. Null and empty defaults switch a behaviour off."""

    client_id: str = "sandbox"
    client_secret: str = "sandbox-secret"
    scopes: frozenset[str] = ALL_SCOPES
    """Fixed at registration. §2 [docs]"""
    redirect_uri: str | None = None
    """Registers the application for the authorization code flow, too. §2"""
    token_lifetime_s: int = 3600
    """§2 [spec] example"""
    max_concurrent: int = 4
    """Bulk requests in flight before 429. §6 [assumed]"""
    max_body_bytes: int | None = None
    """A proxy's cap on a bulk body; beyond it a 413 that is no JSON array. §6 [assumed: off]"""
    max_stored: int = 5_000_000
    """Groups and profiles; with so many a bulk call is a 503, so that nobody's test fills a machine. [assumed]"""
    retry_after_s: int | None = None
    """Sent with 429 when set. §7 [assumed: not sent]"""
    read_lag_s: float = 0.0
    """How long reads still see a group as it was before its last write. §3 [assumed: not at all]"""
    page_items: int = 100
    """Groups on a page when `count` is not given. §8 names no default [assumed]"""
    group_types: tuple[GroupType, ...] = (
        GroupType(id="company", name="Company", plural_name="Companies"),
        GroupType(id="airport", name="Airport", plural_name="Airports"),
    )
    event_types: tuple[EventType, ...] = (ORDER,)
    unique_properties: frozenset[str] = frozenset({"email", "crm_id"})
    """What profiles can be matched and searched by: those of §4's example."""
    segments: tuple[Segment, ...] = ()
    defined_properties: frozenset[str] | None = None
    """Strict mode: rules on any other property are validation errors. §3 [assumed: null, all are accepted]"""
    pii_properties: frozenset[str] = frozenset()
    """Properties whose write needs PII rights, which the application then lacks. §7, §9 R96"""
