"""Descriptions of objects, as Salesforce gives them: the fields that our user sees, and may write. §13 row 15"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from functools import cached_property
from typing import NamedTuple

import msgspec

from sluice.destinations.contract import Unavailable


class Field(msgspec.Struct, frozen=True):
    """A field of an object. What an answer leaves out refuses nothing."""

    name: str
    type: str = "string"
    createable: bool = True
    updateable: bool = True
    externalId: bool = False  # noqa: N815  # the wire's name
    idLookup: bool = False  # noqa: N815
    relationshipName: str | None = None  # noqa: N815
    """The name under which a parent that the field refers to is found by one of the parent's fields."""
    referenceTo: Sequence[str] = ()  # noqa: N815
    """The types of objects that it refers to."""
    polymorphicForeignKey: bool = False  # noqa: N815

    @property
    def has_several_types(self) -> bool:
        """True where a parent's column must name the type."""
        return self.polymorphicForeignKey or len(self.referenceTo) > 1


class Description(msgspec.Struct, frozen=True, dict=True):
    """The description of an object, for our user."""

    name: str
    fields: Sequence[Field]
    createable: bool = True
    updateable: bool = True
    deletable: bool = True

    @cached_property
    def by_name(self) -> dict[str, Field]:
        """The fields by their casefolded names."""
        return {field.name.casefold(): field for field in self.fields}

    @cached_property
    def by_relationship(self) -> dict[str, Field]:
        """The fields that refer to a parent, by the casefolded names of their relationships."""
        return {field.relationshipName.casefold(): field for field in self.fields if field.relationshipName}


Get = Callable[[str], Awaitable[bytes | None]]
"""Reads a path below ``/services/data/vNN.0/``; ``None`` where there is none, by Salesforce's own answer."""


class Known(NamedTuple):
    """A description, and when it was asked for; ``None`` for an object that does not exist."""

    description: Description | None
    at_s: float


class Descriptions:
    """Descriptions of the objects of an org, each kept for a time."""

    def __init__(self, get: Get, max_age_s: float, monotonic: Callable[[], float]) -> None:
        self._get = get
        self._max_age_s = max_age_s
        self._monotonic = monotonic
        self._known: dict[str, Known] = {}
        # Batches of one object are prepared at once: they ask once.
        self._asking = asyncio.Lock()

    async def find(self, object_: str, max_age_s: float | None = None) -> Description | None:
        """Return the description of ``object_``, at most ``max_age_s`` old; ``None`` if it does not exist.

        Raises what ``get`` raises, and ``Unavailable`` for an answer that is no description.
        """
        max_age_s = self._max_age_s if max_age_s is None else max_age_s
        async with self._asking:
            known = self._known.get(object_.casefold())
            if known is None or self._monotonic() - known.at_s > max_age_s:
                asked_at_s = self._monotonic()
                known = Known(await self._ask(object_), asked_at_s)
                self._known[object_.casefold()] = known
        return known.description

    def forget(self, object_: str) -> None:
        """Have the description of ``object_`` read again: Salesforce has refused what it allows."""
        self._known.pop(object_.casefold(), None)

    async def _ask(self, object_: str) -> Description | None:
        answer = await self._get(f"sobjects/{object_}/describe")
        if answer is None:
            return None
        try:
            return _decode(answer)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise Unavailable("no-answer", f"expected the description of {object_}, got {error}") from error


_decode = msgspec.json.Decoder(Description).decode
