"""PK chunking: one query becomes one batch per range of ids. salesforce_bulk.md §3.1, §3.9."""

import re

import msgspec

from sandbox.salesforce.bulk1.refusal import Refusal

DEFAULT_CHUNK_SIZE = 100_000
MAX_CHUNK_SIZE = 250_000
"""§3.9 [docs]"""

_AFTER_CONDITIONS = re.compile(r"\b(?:order\s+by|limit|for\s+view|all\s+rows)\b", re.IGNORECASE)
_WHERE = re.compile(r"\swhere\s", re.IGNORECASE)
_QUOTED = re.compile(r"'(?:[^'\\]|\\.)*+(?:'|\Z)", re.DOTALL)


class PkChunking(msgspec.Struct, frozen=True, kw_only=True):
    """Number of ids in a chunk, the object of the ids (null: the queried one), and the first id that is read."""

    chunk_size: int = DEFAULT_CHUNK_SIZE
    parent: str | None = None
    start_row: str | None = None


def read_pk_chunking(header: str) -> PkChunking | None:
    """Read ``Sforce-Enable-PKChunking``; null when there is no chunking.

    ``TRUE``, ``FALSE``, ``chunkSize=N; parent=Obj; startRow=<id>``, ``chunkSize=N;`` or ``true; chunkSize=N``, in any
    case. §3.1 [docs] [client salesforce-bulk]
    """
    parts = [part.strip() for part in header.split(";") if part.strip()]
    if not parts or parts[0].lower() == "false":
        return None
    options: dict[str, str] = {}
    for part in parts[1:] if parts[0].lower() == "true" else parts:
        name, equals, value = (piece.strip() for piece in part.partition("="))
        if not equals or not value or name.lower() not in ("chunksize", "parent", "startrow"):
            raise _bad(part)
        options[name.lower()] = value
    return PkChunking(
        chunk_size=_size(options.get("chunksize")), parent=options.get("parent"), start_row=options.get("startrow")
    )


def chunk_bounds(sorted_ids: list[str], chunking: PkChunking) -> list[tuple[str | None, str | None]]:
    """Return the first id of each chunk, of which there is at least one, and the first id after it; null is open."""
    first = chunking.start_row
    ids = [one for one in sorted_ids if first is None or one >= first]
    starts: list[str | None] = [first, *ids[chunking.chunk_size :: chunking.chunk_size]]
    return list(zip(starts, [*starts[1:], None], strict=True))


def rewrite(soql: str, first: str | None, after: str | None) -> str:
    """Narrow a query to ids from ``first`` to just before ``after``. The shape is not documented. [assumed]"""
    bounds = [f"Id >= '{first}'"] if first else []
    if after:
        bounds.append(f"Id < '{after}'")
    if not bounds:
        return soql
    narrowed = " AND ".join(bounds)
    masked = _QUOTED.sub(lambda quoted: "x" * len(quoted[0]), soql)
    found = _AFTER_CONDITIONS.search(masked)
    end = len(masked[: found.start() if found else None].rstrip())
    if (where := _WHERE.search(masked, 0, end)) is None:
        return f"{soql[:end]} WHERE {narrowed}{soql[end:]}"
    return f"{soql[: where.end()]}({soql[where.end() : end]}) AND {narrowed}{soql[end:]}"


def _size(given: str | None) -> int:
    if given is None:
        return DEFAULT_CHUNK_SIZE
    if not (given.isascii() and given.isdigit() and len(given) < 10 and 1 <= int(given) <= MAX_CHUNK_SIZE):
        raise _bad(f"chunkSize={given}")
    return int(given)


def _bad(part: str) -> Refusal:
    return Refusal("InvalidJob", f"Invalid Sforce-Enable-PKChunking header: {part}")
