"""Settings of the service, and every choice that the wire document leaves open or marks [assumed].

A choice that a user may know better is a setting. The others are made here:

- Key values are compared as text: 5 and "5" are one key. A key is text or a number, and not empty.
- A JSON null is a field without a value. An item whose type is of another ``category`` has an unknown type.
- Field names are letters, digits and ``_``, do not begin with a digit or ``h_``, and differ by more than case: they are
  columns. Blocks nest 20 deep at most; a type has 1000 columns at most. ``Delete`` looks at the key fields only.
- Every write moves ``processedAt``, by a millisecond at least since the write before; ``updatedAt`` and ``revisionId``
  move when the data changed.
- A write that ``updates`` does not show yet is there for everything else; a later one shows the item. A deleted item is
  gone at once.
- SQL answers booleans as 1 and 0. ``History`` and ``Transaction`` tables are a 400: the sandbox keeps neither.
- An empty CSV cell leaves its field out. A row of another length than the header's is a bad record.
- Template references put in the value's text as it is, without JSON or CSV quoting, as Velocity does. A reference
  without a value stays as it is written, and is left out when quiet (``$!{name}``).
- A job belongs to its community and is unknown in another. The end of every job is mailed, whatever its state.
- An export answers a request for a ``Range`` with the whole file. §15
- Filters compare as text. A field sent twice counts once: the first.
"""

from collections.abc import Mapping
from typing import Literal

import msgspec

Category = Literal["entity", "work", "dimension", "system"]
"""§3 [docs] [client:node]"""
FieldKind = Literal["string", "number", "boolean", "path", "strings", "blocks"]
"""Kinds of §3 [docs] [client:json]: ``path`` is a dimension path such as ``/Account/accountClass[invoiced]``."""

_MIB = 1 << 20
_WEEK_S = 7 * 24 * 3600


class ItemType(msgspec.Struct, frozen=True, kw_only=True):
    """Item type of the schema, which no call reveals. §3 [assumed]

    With ``fields``, any other field is invalid, and so is a value of another kind; without, any field is taken.
    """

    name: str
    key_fields: tuple[str, ...]
    category: Category = "entity"
    fields: Mapping[str, FieldKind] | None = None


class User(msgspec.Struct, frozen=True, kw_only=True):
    """User who may log in, and the communities allowed; null is all of them."""

    user_id: str = "sandbox@example.com"
    password: str = "sandbox-password"
    communities: tuple[str, ...] | None = None


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """Settings of the service, its communities and their one schema. Null switches a limit off."""

    client_id: str = "sandbox"
    client_secret: str = "sandbox-secret"
    users: tuple[User, ...] = (User(),)
    communities: tuple[str, ...] = ("ACME",)
    item_types: tuple[ItemType, ...] = (
        ItemType(name="Account", key_fields=("accountId",)),
        ItemType(name="Airport", key_fields=("airportId",)),
        ItemType(name="Movie", key_fields=("movieId",)),
        ItemType(name="Order", key_fields=("orderId",), category="work"),
        ItemType(name="OrderLine", key_fields=("orderId", "lineNumber"), category="work"),
        ItemType(name="dimension", key_fields=("path",), category="dimension"),
    )
    token_lifetime_s: int = 3600
    """§2: unknown [assumed]"""
    sends_refresh_token: bool = False
    """§2 [assumed: not sent]"""
    identifier_field: str = ""
    """Field whose value the ledger keeps as the entry's identifier; empty: the header ``clientId``."""

    create_overrides: bool = False
    """True: ``Create`` of a key that exists overrides it. §3 [assumed: rejected]"""
    update_needs_item: bool = False
    """True: ``Update`` of an absent key is rejected. §3 [assumed: inserts]"""
    delete_needs_item: bool = False
    """True: ``Delete`` of an absent key is rejected. §3 [assumed: succeeds without effect]"""
    count_leaves_out_rejected: bool = False
    """True: ``count`` of an upsert leaves rejected items out. §4 [assumed: it includes them]"""

    import_counts_refused: bool = False
    """True: ``recordsProcessed`` includes refused records. §12 [assumed: it does not]"""
    import_fails_on_bad_record: bool = False
    """True: a bad record fails the job. §7 [assumed: it is skipped]"""
    counts_in_reason: bool = True
    """True: the ``reason`` of a job that has ended counts its records. §15 [assumed: free text, §8]"""
    slice_records: int = 100
    """Records between two looks at the cancel flag. §9 [assumed]"""
    initialize_s: float = 0.0
    queue_s: float = 0.05
    slice_s: float = 0.001
    """Seconds that a job is Initialized, is Accepted, and takes for a slice. [assumed: a second poll sees
    the end of a small job]
    """

    mails_each_status: bool = False
    """True: each status of a job is mailed. §15: several mails are possible [assumed: its end alone]"""

    links_in_reason: bool = True
    """True: the status of a completed export has its links, in its ``reason``. §10 [assumed]"""
    links_field: str = "reason"
    """Text field of the status that has the links. §15: any may have them [assumed]"""
    links_origin: str = ""
    """Scheme and host that links name; empty: those by which the client reached the sandbox. [assumed]"""
    header_in_each_file: bool = True
    """True: with ``rowHeader`` every file of an export begins with the header row, not the first alone. [assumed]"""
    link_lifetime_s: float = _WEEK_S
    """§10 [docs]"""
    records_per_file: int = 100_000
    """§10 [docs implies]"""
    max_export_bytes: int = 256 * _MIB
    """Bytes of export files kept at once; an export beyond it fails. It bounds our memory: no limit of the vendor."""

    updates_items: int = 100
    max_updates_items: int = 1000
    """§5 [assumed]"""
    short_pages: bool = False
    """True: a ``max`` beyond the ceiling is answered with fewer items. §15 [assumed: a 400]"""
    late_commit_s: float = 0.0
    """Seconds after ``processedAt`` until ``updates`` shows a write. §15 [assumed: none]"""
    max_upsert_items: int | None = None
    max_upsert_bytes: int | None = None
    max_import_records: int | None = None
    max_import_bytes: int | None = None
    """Ceilings: 413 beyond the first, second and fourth, ``Rejected`` beyond the third. §12 [assumed: off]"""

    sql_timeout_s: float = 10.0
    max_sql_rows: int = 100_000
    max_sql_answer_bytes: int = 64 * _MIB
    """Bounds of one query, 400 beyond them; rows and bytes are of one answer. They protect the sandbox."""
    sql_memory_bytes: int = 2048 * _MIB
    """Bytes that SQLite may hold in this process: stored items and running queries together."""
