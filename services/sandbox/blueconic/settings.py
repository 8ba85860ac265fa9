"""Settings of a tenant, and every choice that the wire document leaves open or marks [assumed].

A choice that a user may know better is a setting. The others are made here and implemented where they belong:

- A rule without ``strategy`` is a ``SET``, and so is a timeline event. A JSON null is a value of the wrong type.
- A missing scope is a 403 where the endpoint declares 403, else a 401.
- Group types are checked before group ids. A domain group is no part of a group's identity, nor of a profile id's;
  ``matching`` looks in its own domain group only.
- gzip is used on the two bulk calls only, where §3 has it. Their Content-Type is ignored: the document gives no status
  for another one.
- A profile of which only events changed is ``UNCHANGED``; an entry that writes no profile gets no ``timeline`` back.
- An event of an unknown type is ``REJECTED``; properties that its type does not list are accepted unchecked.
- Of too many events the latest stay. Event values are returned as strings, as all values are (§8).
- Searches by several properties must match all of them. Any ``refinement`` is a 400: the document does not give its
  language; nor what audiences and tracked properties are, a 400 too. ``collapse`` and the triggers do nothing.
- Profiles are never merged. The segments of a profile follow from its id and values. A page of a segment has its
  members as of the request, in the shape of a single read.
"""

import msgspec

from sandbox.blueconic.endpoints import ALL_SCOPES
from sandbox.blueconic.event_types import ORDER, EventType


class GroupType(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A type of group, as ``GET /groupTypes`` shows it. §8 [spec]."""

    id: str
    name: str
    plural_name: str


class Segment(msgspec.Struct, frozen=True, kw_only=True):
    """The profiles whose ``property`` has ``value``, and those whose id is among ``profiles``. §11; the document names
    segments without defining them [assumed]
    """

    id: str
    property: str = ""
    value: str = ""
    profiles: frozenset[str] = frozenset()


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """Settings of one tenant. Null and empty defaults switch a behaviour off."""

    client_id: str = "sandbox"
    client_secret: str = "sandbox-secret"
    scopes: frozenset[str] = ALL_SCOPES
    """Scopes of the application, fixed at registration. §2 [docs]"""
    redirect_uri: str | None = None
    """Redirect URI that registers the application for the authorization code flow, too. §2"""
    token_lifetime_s: int = 3600
    """Lifetime of an access token. §2 [spec] example"""
    max_concurrent: int = 4
    """Bulk requests in flight before 429. §6 [assumed]"""
    max_body_bytes: int | None = None
    """Limit of a proxy on a bulk body; past it a 413 that is no JSON array. §6 [assumed: off]"""
    max_stored: int = 5_000_000
    """Groups and profiles in memory; at this number a bulk call is a 503, so that no test fills a machine. [assumed]"""
    retry_after_s: int | None = None
    """Value of ``Retry-After``, sent with 429 when set. §7 [assumed: not sent]"""
    read_lag_s: float = 0.0
    """Seconds for which reads still see a group as before its last write. §3 [assumed: none]"""
    bare_not_found: bool = False
    """Absent groups and profiles are a 404 without a body, instead of one in the shape of a 400. §7 [assumed]"""
    page_items: int = 100
    """Rows on a page when ``count`` is not given. §8 names no default [assumed]"""
    lists_by_modification: bool = False
    """True: listings are in the order of the last modification: what changes while it is listed may come twice. §12
    [assumed: in the order of creation]
    """
    group_types: tuple[GroupType, ...] = (
        GroupType(id="company", name="Company", plural_name="Companies"),
        GroupType(id="airport", name="Airport", plural_name="Airports"),
    )
    event_types: tuple[EventType, ...] = (ORDER,)
    unique_properties: frozenset[str] = frozenset({"email", "crm_id"})
    """Properties that profiles can be matched and searched by: those of §4's example."""
    segments: tuple[Segment, ...] = ()
    defined_properties: frozenset[str] | None = None
    """The only properties in strict mode; rules on others are errors. §3 [assumed: null, all are accepted]"""
    pii_properties: frozenset[str] = frozenset()
    """Properties that only PII rights, which the application then lacks, may write. §7, §9 R96"""
