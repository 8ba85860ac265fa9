"""Storage of the entries of one request: columns in MessagePack, a column of equal values as one value."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple, TypeVar

import msgspec

T = TypeVar("T")


class Rows(NamedTuple):
    """The entries of one request by column, all of one length."""

    objects: Sequence[str]
    keys: list[str]
    identifiers: list[str | None]
    operations: Sequence[str]
    effects: Sequence[str]
    changed: Sequence[bool]


class Row(NamedTuple):
    """One entry of a request."""

    object: str
    key: str
    identifier: str | None
    operation: str
    effect: str
    changed: bool


class _Columns(msgspec.Struct, frozen=True, kw_only=True, array_like=True):
    """Rows as stored."""

    objects: str | list[str]
    keys: list[str]
    identifiers: list[str | None] | None
    operations: str | list[str]
    effects: str | list[str]
    changed: bool | list[bool]


def pack(rows: Rows) -> bytes:
    columns = _Columns(
        objects=_shorten(rows.objects),
        keys=rows.keys,
        identifiers=rows.identifiers if any(rows.identifiers) else None,
        operations=_shorten(rows.operations),
        effects=_shorten(rows.effects),
        changed=_shorten(rows.changed),
    )
    return _encode(columns)


def unpack(packed: bytes) -> Iterator[Row]:
    columns = _decode(packed)
    count = len(columns.keys)
    return map(
        Row,
        _lengthen(columns.objects, count),
        columns.keys,
        columns.identifiers or [None] * count,
        _lengthen(columns.operations, count),
        _lengthen(columns.effects, count),
        _lengthen(columns.changed, count),
    )


def _shorten(column: Sequence[T]) -> T | list[T]:
    return column[0] if len(set(column)) == 1 else list(column)


def _lengthen(column: T | list[T], count: int) -> list[T]:
    return column if isinstance(column, list) else [column] * count


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(_Columns).decode
