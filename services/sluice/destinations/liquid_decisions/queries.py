"""Reads of items by SQL: by key, and the newest instant of a type. §6

Items come in the item form alone, which returns values exactly. §15 [sandbox]
"""

from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from typing import Any

import msgspec

from sluice.destinations.contract import Refused, Unavailable
from sluice.destinations.liquid_decisions.assumed import KEYS_PER_QUERY
from sluice.destinations.liquid_decisions.calls import Calls
from sluice.destinations.liquid_decisions.key_folding import fold_value, identity_of
from sluice.destinations.liquid_decisions.settings import LiquidDecisionsSettings

Data = dict[str, Any]
MIN_EPOCH_MS = 10**11
"""An instant of 1973: anything less is no number of milliseconds."""


class _Headers(msgspec.Struct, rename="camel", frozen=True, gc=False):
    processed_at: Any = None


class FoundItem(msgspec.Struct, gc=False):
    """An item as the vendor has it."""

    headers: _Headers = _Headers()
    data: Data = {}

    def is_older_than(self, instant_ms: int) -> bool:
        """Return whether it was processed before that instant, by the vendor's own word. §3"""
        processed_at = self.headers.processed_at
        return isinstance(processed_at, int | float) and processed_at < instant_ms


class Queries:
    """Reader of items of one community."""

    def __init__(self, settings: LiquidDecisionsSettings, calls: Calls) -> None:
        self._types = settings.types
        self._calls = calls
        self._tables = {
            name: type_.table or f"{settings.community.lower()}_{type_.category}_{name}"
            for name, type_ in settings.types.items()
        }

    async def by_key(self, name: str, keys: Sequence[Data]) -> AsyncIterator[tuple[str, FoundItem]]:
        """Yield each item of the type ``name`` with one of ``keys``, and its identity, as far as there are some.

        A key is the data of an item, with its key fields. Raises ``Unavailable``, ``Misconfigured``, ``Refused``.
        """
        for start in range(0, len(keys), KEYS_PER_QUERY):
            condition = _condition(self._types[name].key_fields, keys[start : start + KEYS_PER_QUERY])
            query = f"SELECT h_id FROM {self._tables[name]} WHERE {condition}"  # noqa: S608  # all of it is quoted
            form = {"query": query, "itemType": name, "faultBlocks": "true"}
            response = await self._calls.read("data/sqlQuery", form)
            try:
                found = _decode_items(response.content)
            except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
                raise Unavailable("no-answer", f"sqlQuery answered no items: {error}") from error
            for item in found:
                if (identity := self.identity(name, item.data)) is not None:
                    yield identity, item

    async def newest_ms(self, name: str) -> int | None:
        """Return the newest instant of the type ``name``, in epoch milliseconds; ``None`` where it cannot be had.

        Raises ``Unavailable``, ``Misconfigured``.
        """
        query = f"SELECT MAX(h_processedAt) AS newest FROM {self._tables[name]}"  # noqa: S608  # from the settings
        try:
            response = await self._calls.read("data/sqlQuery", {"query": query})
            [row] = _decode_rows(response.content)
            newest = row.get("newest")
            if newest is None:
                return 0
            instant = int(newest)
        except (Refused, msgspec.DecodeError, UnicodeDecodeError, RecursionError, ValueError, TypeError):
            return None
        return instant if instant >= MIN_EPOCH_MS else None

    async def expect_table(self, name: str) -> None:
        """See that the type ``name`` can be read. Raises ``Unavailable``, ``Misconfigured``, ``Refused``."""
        query = f"SELECT h_id FROM {self._tables[name]} WHERE 1 = 0"  # noqa: S608  # from the settings
        await self._calls.read("data/sqlQuery", {"query": query, "itemType": name})

    def identity(self, name: str, data: Mapping[str, Any]) -> str | None:
        """Return the identity of an item as the vendor has it; ``None`` for one without its key."""
        folded = []
        for field in self._types[name].key_fields:
            if (value := fold_value(data.get(field))) is None:
                return None
            folded.append(value)
        return identity_of(name, folded)


def _condition(key_fields: Sequence[str], keys: Sequence[Data]) -> str:
    """Return what is true of items with one of ``keys``.

    A number is asked for as text and as a number: SQL compares typed values. §15 [sandbox]
    """
    if len(key_fields) == 1:
        forms = [form for key in keys for form in _literals(key[key_fields[0]])]
        return f"{key_fields[0]} IN ({', '.join(forms)})"
    return " OR ".join(f"({_all_of(key_fields, key)})" for key in keys)


def _all_of(key_fields: Sequence[str], key: Data) -> str:
    return " AND ".join(f"{field} IN ({', '.join(_literals(key[field]))})" for field in key_fields)


def _literals(value: Any) -> Iterator[str]:
    text = value if isinstance(value, str) else str(value)
    yield "'" + text.replace("'", "''") + "'"
    folded = fold_value(value) or ""
    if folded != text:
        yield "'" + folded.replace("'", "''") + "'"
    if folded.lstrip("-").replace(".", "", 1).isdigit() and folded.isascii():
        yield folded


_decode_items = msgspec.json.Decoder(list[FoundItem]).decode
_decode_rows = msgspec.json.Decoder(list[dict[str, Any]]).decode
