"""Objects of an org and their fields. salesforce_bulk.md §5, §6, §9."""

from functools import cached_property
from typing import Literal

import msgspec

FieldType = Literal[
    "string", "email", "picklist", "int", "double", "boolean", "date", "datetime", "reference", "address", "base64"
]


class Field(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One field. ``external_id``: for upserts and relationship columns; ``unique``: no two records share it."""

    name: str
    type: FieldType = "string"
    required: bool = False
    unique: bool = False
    external_id: bool = False
    case_sensitive: bool = False
    """True for a key whose values that differ in case only are two. §13.10 [docs]"""
    read_only: bool = False
    max_length: int = 255
    """Characters of a text; a longer one is ``STRING_TOO_LONG``"""
    max_number: float = 1e18
    """Largest absolute value; beyond it ``NUMBER_OUTSIDE_VALID_RANGE``"""
    values: tuple[str, ...] = ()
    """Values of a restricted picklist"""
    pattern: str = ""
    """Validation rule; a value that does not match it is ``FIELD_CUSTOM_VALIDATION_EXCEPTION``"""
    refers_to: tuple[str, ...] = ()
    """Objects that a reference may point to"""
    relationship: str = ""
    """Name of the reference in relationship columns: ``Account`` for ``AccountId``"""
    made_of: tuple[str, ...] = ()
    """Fields whose values, joined by blanks, are the value of this one, which is read only: a person's ``Name``"""

    @property
    def ignores_case(self) -> bool:
        """True for keys, unless the field tells case apart. §13.10 [docs]"""
        return (self.external_id or self.unique) and not self.case_sensitive


SYSTEM_FIELDS = (
    Field(name="CreatedDate", type="datetime", read_only=True),
    Field(name="LastModifiedDate", type="datetime", read_only=True),
    Field(name="SystemModstamp", type="datetime", read_only=True),
    Field(name="CreatedById", type="reference", read_only=True, refers_to=("User",), relationship="CreatedBy"),
    Field(name="IsDeleted", type="boolean", read_only=True),
)
"""Fields that every object has beside ``Id``; they come first in a stored record."""

_NEVER_LOCKED = {"User", "Group", "RecordType"}


class ObjectType(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, dict=True):
    """One object. Ids of its records start with ``prefix``. Names are found in any case. §3.3 [client sfbulkapi]"""

    name: str
    prefix: str
    fields: tuple[Field, ...]
    bulk: bool = True
    """False when the Bulk APIs answer ``InvalidEntity``"""

    @cached_property
    def all_fields(self) -> tuple[Field, ...]:
        """System fields, then own ones. A field's place here is its slot in a stored record."""
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

    @cached_property
    def parents(self) -> tuple[int, ...]:
        """Slots of references to other records than people and kinds of records, which no row locks. [assumed]"""
        return tuple(slot for slot, field in enumerate(self.all_fields) if set(field.refers_to) - _NEVER_LOCKED)

    @cached_property
    def owner_slot(self) -> int | None:
        """Slot of the owner, who is the creator where a row names none. [assumed: usual platform behaviour]"""
        return self.slot("OwnerId")

    def slot(self, name: str) -> int | None:
        return self.slots.get(name.lower())


def text(name: str, *, required: bool = False, max_length: int = 255) -> Field:
    return Field(name=name, required=required, max_length=max_length)


def key(name: str) -> Field:
    """Make an external id that no two records share."""
    return Field(name=name, external_id=True, unique=True)


def email(name: str) -> Field:
    """Make a standard email field, which can be looked up by, as ``Lead:Who.Email`` does. §6 [docs]"""
    return Field(name=name, type="email", external_id=True, max_length=80)


def full_name() -> Field:
    """Make the name of a person. [assumed: usual platform behaviour]"""
    return Field(name="Name", read_only=True, max_length=121, made_of=("FirstName", "LastName"))


def reference(name: str, relationship: str, *refers_to: str) -> Field:
    return Field(name=name, type="reference", relationship=relationship, refers_to=refers_to)
