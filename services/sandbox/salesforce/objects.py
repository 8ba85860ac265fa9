"""What kinds of record an org has: objects and their fields. salesforce_bulk.md §5, §6, §9."""

from functools import cached_property
from typing import Literal

import msgspec

FieldType = Literal[
    "string", "email", "picklist", "int", "double", "boolean", "date", "datetime", "reference", "address", "base64"
]


class Field(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One field. `external_id`: usable as upsert key and in relationship columns; `unique`: no two records share it."""

    name: str
    type: FieldType = "string"
    required: bool = False
    unique: bool = False
    external_id: bool = False
    read_only: bool = False
    max_length: int = 255
    """Characters of a text. Beyond it `STRING_TOO_LONG`"""
    max_number: float = 1e18
    """Beyond it `NUMBER_OUTSIDE_VALID_RANGE`"""
    values: tuple[str, ...] = ()
    """All that a restricted picklist takes"""
    pattern: str = ""
    """A validation rule: what else does not match it is a `FIELD_CUSTOM_VALIDATION_EXCEPTION`"""
    refers_to: tuple[str, ...] = ()
    """The objects that a reference may lead to"""
    relationship: str = ""
    """What a relationship column calls the reference: `Account` for `AccountId`"""


SYSTEM_FIELDS = (
    Field(name="CreatedDate", type="datetime", read_only=True),
    Field(name="LastModifiedDate", type="datetime", read_only=True),
    Field(name="SystemModstamp", type="datetime", read_only=True),
    Field(name="CreatedById", type="reference", read_only=True, refers_to=("User",), relationship="CreatedBy"),
    Field(name="IsDeleted", type="boolean", read_only=True),
)
"""What every object has beside `Id`; they come first in a stored record."""


class ObjectType(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, dict=True):
    """One object. Records' ids start with `prefix`. Names are found without regard to case. §3.3 [client sfbulkapi]"""

    name: str
    prefix: str
    fields: tuple[Field, ...]
    bulk: bool = True
    """Whether the Bulk APIs take it; else `InvalidEntity`"""

    @cached_property
    def all_fields(self) -> tuple[Field, ...]:
        """System fields and own ones; a field's place here is its slot in a stored record."""
        return (*SYSTEM_FIELDS, *self.fields)

    @cached_property
    def slots(self) -> dict[str, int]:
        """Slots by field name in lower case."""
        return {field.name.lower(): slot for slot, field in enumerate(self.all_fields)}

    @cached_property
    def required(self) -> tuple[int, ...]:
        return tuple(slot for slot, field in enumerate(self.all_fields) if field.required)

    @cached_property
    def unique(self) -> tuple[int, ...]:
        return tuple(slot for slot, field in enumerate(self.all_fields) if field.unique)

    def slot(self, name: str) -> int | None:
        return self.slots.get(name.lower())


def text(name: str, *, required: bool = False, max_length: int = 255) -> Field:
    return Field(name=name, required=required, max_length=max_length)


def key(name: str) -> Field:
    """An external id that no two records share."""
    return Field(name=name, external_id=True, unique=True)


def email(name: str) -> Field:
    """Standard email fields can be looked up by, as `Lead:Who.Email` does. §6 [docs]"""
    return Field(name=name, type="email", external_id=True, max_length=80)


def reference(name: str, relationship: str, *refers_to: str) -> Field:
    return Field(name=name, type="reference", relationship=relationship, refers_to=refers_to)
