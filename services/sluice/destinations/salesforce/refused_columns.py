"""Columns that Salesforce would refuse, by its own description of an object.

One of them would fail the whole batch (``Field name not found``, §6), which could only be found by halving it: here
the rows that have it are rejected by name, and the others are sent.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from sluice.destinations.contract import Rejection
from sluice.destinations.salesforce.api_names import Column, read_column
from sluice.destinations.salesforce.descriptions import Description, Descriptions, Field
from sluice.destinations.salesforce.job_targets import Target
from sluice.destinations.salesforce.record_keys import ID
from sluice.flow.batch import Encoded

FRESH_S = 60.0
"""Oldest description that rejects a record: a field may have been added since. Bad records cost a call a minute."""


class Checked(NamedTuple):
    """The findings about the rows of a batch."""

    rejections: dict[int, Rejection]
    """By row."""
    spellings: Mapping[str, str]
    """The columns of the others as Salesforce spells them, by their casefolded names."""


Parents = Mapping[str, Description | None]
"""Descriptions of the objects that columns refer to, by casefolded names; a parent that is left out refuses nothing."""


async def check_rows(target: Target, rows: Sequence[Encoded], descriptions: Descriptions) -> Checked:
    """Return which of ``rows`` would be refused. Raises as ``Descriptions.find`` does."""
    description, rejections = await _check(target, rows, descriptions, None)
    if rejections:
        description, rejections = await _check(target, rows, descriptions, FRESH_S)
    return Checked(rejections, {} if description is None else spellings(rows, description))


async def _check(
    target: Target, rows: Sequence[Encoded], descriptions: Descriptions, max_age_s: float | None
) -> tuple[Description | None, dict[int, Rejection]]:
    description = await descriptions.find(target.object, max_age_s)
    parents = {}
    if description is not None:
        for type_ in sorted(_parent_types(rows, description)):
            parents[type_.casefold()] = await descriptions.find(type_, max_age_s)
    return description, refusals(target, rows, description, parents)


def _parent_types(rows: Sequence[Encoded], description: Description) -> set[str]:
    """Return the objects to which columns of ``rows`` refer."""
    columns = (read_column(name) for columns in {row.columns for row in rows} for name in columns)
    return {type_ for column in columns if column is not None and (type_ := _parent_type(column, description))}


def _parent_type(column: Column, description: Description) -> str:
    """Return the object to which ``column`` refers; empty where it is a field of its own, or nobody can tell."""
    reference = description.by_relationship.get(column.relationship.casefold())
    types = () if reference is None else reference.referenceTo
    named = [type_ for type_ in types if type_.casefold() == column.parent_type.casefold()]
    return named[0] if named else types[0] if len(types) == 1 else ""


def refusals(
    target: Target, rows: Sequence[Encoded], description: Description | None, parents: Parents
) -> dict[int, Rejection]:
    """Return the rejections of ``rows`` by position; ``description`` is ``None`` for an object that does not exist.

    Rows that do not name their columns to us, as those in JSON and XML, are refused for their object alone.
    """
    of_all = _object_refusal(target, description)
    if of_all is not None or description is None:
        return dict.fromkeys(range(len(rows)), of_all) if of_all is not None else {}
    shapes = {row.columns for row in rows}
    of_shapes = {columns: _refusal(target, columns, description, parents) for columns in shapes}
    found = ((number, of_shapes[row.columns]) for number, row in enumerate(rows))
    return {number: rejection for number, rejection in found if rejection is not None}


def spellings(rows: Sequence[Encoded], description: Description) -> dict[str, str]:
    """Return the columns of ``rows`` as Salesforce spells them, by their casefolded names. §13 row 2"""
    names = {name for columns in {row.columns for row in rows} for name in columns}
    return {name.casefold(): _spelling(name, description) for name in names}


def _spelling(name: str, description: Description) -> str:
    column = read_column(name)
    if column is None:
        return name
    if not column.relationship:
        field = description.by_name.get(name.casefold())
        return name if field is None else field.name
    reference = description.by_relationship.get(column.relationship.casefold())
    if reference is None:
        return name
    prefix = f"{_parent_type(column, description) or column.parent_type}:" if column.parent_type else ""
    return f"{prefix}{reference.relationshipName}.{column.field}"


def _object_refusal(target: Target, description: Description | None) -> Rejection | None:
    if description is None:
        return Rejection(
            "unknown-object",
            f"expected an object that our user sees in Salesforce, got {target.object}; correct it, or grant the "
            "right to see it",
        )
    operation = target.operation
    may = {
        "insert": description.createable,
        "update": description.updateable,
        "upsert": description.createable or description.updateable,
    }
    if not may.get(operation, description.deletable):
        return Rejection(
            "read-only-object", f"expected a right to {operation} {description.name}, our user has none; grant it"
        )
    if operation == "upsert" and target.external_id != ID:
        field = description.by_name.get(target.external_id.casefold())
        if field is None or not (field.externalId or field.idLookup):
            return Rejection(
                "no-external-id",
                f"field {target.external_id}: expected an external id of {description.name}, it "
                + ("has no such field" if field is None else "is none")
                + "; name another one, or have it made an external id",
            )
    return None


def _refusal(target: Target, columns: tuple[str, ...], description: Description, parents: Parents) -> Rejection | None:
    for name in columns:
        column = read_column(name)
        if column is None or (name == target.key_field and not column.relationship):
            continue
        if column.relationship:
            rejection = _relationship_refusal(target, name, column, description) or _parent_refusal(
                name, column, parents.get(_parent_type(column, description).casefold())
            )
        else:
            rejection = _field_refusal(target, name, description.by_name.get(name.casefold()), description)
        if rejection is not None:
            return rejection
    return None


def _field_refusal(target: Target, name: str, field: Field | None, description: Description) -> Rejection | None:
    if field is None:
        reference = description.by_relationship.get(name.casefold())
        hint = "correct it, or grant the right to see it"
        if reference is not None:
            hint = f"to clear the parent, send null as {reference.name}"
        return Rejection("unknown-field", f"field {name}: {description.name} has none that our user sees; {hint}")
    # An upsert may create or update, and nobody knows which: the row itself will tell.
    may = {
        "insert": field.createable,
        "update": field.updateable,
    }.get(target.operation, field.createable or field.updateable)
    if may:
        return None
    return Rejection(
        "read-only-field",
        f"field {name}: expected one that our user may write by {target.operation}; leave it out, or grant the right",
    )


def _parent_refusal(name: str, column: Column, parent: Description | None) -> Rejection | None:
    """Return the rejection of a field that no ``parent`` is found by: only what is indexed finds one. §6 [docs]"""
    if parent is None:
        return None
    field = parent.by_name.get(column.field.casefold())
    if field is not None and (field.externalId or field.idLookup):
        return None
    return Rejection(
        "unknown-field",
        f"field {name}: expected an external id of {parent.name}, it "
        + ("has no such field that our user sees" if field is None else "is none")
        + "; name another one, or have it made an external id",
    )


def _relationship_refusal(target: Target, name: str, column: Column, description: Description) -> Rejection | None:
    reference = description.by_relationship.get(column.relationship.casefold())
    if reference is None:
        return Rejection(
            "unknown-field",
            f"field {name}: {description.name} has no relationship {column.relationship} that our user sees; fix it",
        )
    types = [type_.casefold() for type_ in reference.referenceTo]
    # With several types the type must be there, with one it must not: either fails the batch. §13 row 13 [docs]
    if bool(column.parent_type) != reference.has_several_types or (
        column.parent_type and types and column.parent_type.casefold() not in types
    ):
        named = f"{reference.referenceTo[0] if types else 'User'}:{reference.relationshipName}.{column.field}"
        expected = named if reference.has_several_types else f"{reference.relationshipName}.{column.field}"
        of_types = f", for a parent of {', '.join(reference.referenceTo)}" if reference.has_several_types else ""
        return Rejection("unknown-field", f"field {name}: expected a name such as {expected}{of_types}; correct it")
    return _field_refusal(target, name, reference, description)
