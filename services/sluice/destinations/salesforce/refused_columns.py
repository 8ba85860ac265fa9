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
"""Nothing is rejected by a description that is older: a field may have been added. Bad records cost a call a minute."""


class Checked(NamedTuple):
    """The findings about the rows of a batch."""

    rejections: dict[int, Rejection]
    """By row."""
    spellings: Mapping[str, str]
    """The columns of the others as Salesforce spells them, by their casefolded names."""


async def check_rows(target: Target, rows: Sequence[Encoded], descriptions: Descriptions) -> Checked:
    """Return which of ``rows`` would be refused. Raises as ``Descriptions.find`` does."""
    description = await descriptions.find(target.object)
    rejections = refusals(target, rows, description)
    if rejections:
        description = await descriptions.find(target.object, FRESH_S)
        rejections = refusals(target, rows, description)
    return Checked(rejections, {} if description is None else spellings(rows, description))


def refusals(target: Target, rows: Sequence[Encoded], description: Description | None) -> dict[int, Rejection]:
    """Return the rejections of ``rows`` by position; ``description`` is ``None`` for an object that does not exist.

    Rows that do not name their columns to us, as those in JSON and XML, are refused for their object alone.
    """
    of_all = _object_refusal(target, description)
    if of_all is not None or description is None:
        return dict.fromkeys(range(len(rows)), of_all) if of_all is not None else {}
    of_shapes = {columns: _refusal(target, columns, description) for columns in {row.columns for row in rows}}
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
    types = [type_ for type_ in reference.referenceTo if type_.casefold() == column.parent_type.casefold()]
    prefix = f"{types[0]}:" if types else ""
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


def _refusal(target: Target, columns: tuple[str, ...], description: Description) -> Rejection | None:
    for name in columns:
        column = read_column(name)
        if column is None or (name == target.key_field and not column.relationship):
            continue
        if column.relationship:
            rejection = _parent_refusal(target, name, column, description)
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


def _parent_refusal(target: Target, name: str, column: Column, description: Description) -> Rejection | None:
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
