"""Shapes of records: the columns that a row has, and where its key stands among them.

What depends on the names of fields alone is found out once for all records that have the same ones.
"""

from collections.abc import Sequence
from typing import NamedTuple

from sluice.destinations.contract import Rejection
from sluice.destinations.salesforce.api_names import read_column
from sluice.destinations.salesforce.record_fields import MAX_FIELDS, MAX_HEADER_CHARACTERS
from sluice.destinations.salesforce.record_keys import ID
from sluice.events import Operation

MAX_CACHED = 10_000
"""Shapes that are kept; at that number all are forgotten. Names come from upstream, so nothing else bounds them."""


class Shape(NamedTuple):
    """The columns of a row; those of its keys come first."""

    columns: tuple[str, ...]
    keys_at: tuple[int, ...]
    """For each key the position in the data of the same field, which is left out there; -1 for none."""
    has_key_in_data: bool
    sort_at: int
    """Position in the row of the column that rows are sorted by; -1 for none."""


class Shapes:
    """Shapes of the records of one object and operation, whose keys are written to ``key_fields``."""

    def __init__(self, operation: Operation, key_fields: tuple[str, ...], sort_by: str = "") -> None:
        self._operation = operation
        self._key_fields = key_fields
        self._sort_by = sort_by.casefold()
        self._shapes: dict[tuple[str, ...], Shape] = {}

    def find(self, names: tuple[str, ...]) -> Shape:
        """Return the shape of a record whose data has ``names``. Raises ``Rejection``."""
        shape = self._shapes.get(names)
        if shape is None:
            if len(self._shapes) >= MAX_CACHED:
                self._shapes.clear()
            shape = self._shapes[names] = self._make(names)
        return shape

    def _make(self, names: tuple[str, ...]) -> Shape:
        self._check(names)
        folded = [name.casefold() for name in names]
        keys = [key.casefold() for key in self._key_fields]
        keys_at = tuple(folded.index(key) if key in folded else -1 for key in keys)
        columns = (*self._key_fields, *(name for at, name in enumerate(names) if at not in keys_at))
        if not columns:
            raise Rejection("bad-data", f"expected at least one field for an {self._operation}, got none; add it")
        if len(columns) > MAX_FIELDS:
            raise Rejection("too-large", f"expected at most {MAX_FIELDS} fields, got {len(columns)}; leave some out")
        header_characters = len(",".join(columns))
        if header_characters > MAX_HEADER_CHARACTERS:
            raise Rejection(
                "too-large",
                f"expected the names of all fields to have at most {MAX_HEADER_CHARACTERS} characters, got "
                f"{header_characters}; leave some out",
            )
        sorted_at = [at for at, column in enumerate(columns) if column.casefold() == self._sort_by]
        return Shape(columns, keys_at, any(at >= 0 for at in keys_at), sorted_at[0] if sorted_at else -1)

    def _check(self, names: Sequence[str]) -> None:
        """Raise ``Rejection`` for a name that is no column, stands twice, or may not be there."""
        seen: dict[str, str] = {}
        for name in names:
            column = read_column(name)
            if column is None:
                raise Rejection(
                    "bad-field",
                    f"expected a field's API name, such as LastName or Ext__c, got {name[:80]!r}; rename it",
                )
            # A field, or a parent, stands once, whatever the case of its letters.
            written = (column.relationship or column.field).casefold() + ("." if column.relationship else "")
            if written in seen:
                raise Rejection("bad-field", f"expected each field once, got {seen[written]} and {name}; drop one")
            seen[written] = name
            if written == "id" and ID not in self._key_fields:
                by = f" by {self._key_fields[-1]}" if self._operation == "upsert" else ""
                raise Rejection(
                    "bad-field",
                    f"field {name}: expected no Id in the data of an {self._operation}{by}, which Salesforce refuses; "
                    "take it out",
                )
