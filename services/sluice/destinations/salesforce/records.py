"""Records, made from events as the rows of a batch. §12

Two events have one identity when they may be about one record: then no batch holds both. §13 row 10 An insert is about
a record of its own, and is the only operation that must not be applied twice. §8
"""

from collections.abc import Mapping

from sluice.destinations.contract import Rejection
from sluice.destinations.salesforce.api_names import is_api_name
from sluice.destinations.salesforce.csv_rows import value_text
from sluice.destinations.salesforce.job_targets import Target
from sluice.destinations.salesforce.record_fields import CLEARED, Value, read_fields
from sluice.destinations.salesforce.record_keys import RecordKey, match_name, read_key
from sluice.destinations.salesforce.record_shapes import MAX_CACHED, Shapes
from sluice.destinations.salesforce.row_formats import RowFormat
from sluice.destinations.salesforce.settings import SalesforceSettings
from sluice.events import Operation, RecordEvent
from sluice.flow.batch import Encoded


class Records:
    """Encoder of record events, with an encoder for each object and operation that it meets."""

    def __init__(self, settings: SalesforceSettings, row_format: RowFormat, *, needs_identifier: bool) -> None:
        """Refuse inserts of objects without an identifier field where ``needs_identifier``, as Bulk API 2.0 does."""
        self._settings = settings
        self._row_format = row_format
        self._needs_identifier = needs_identifier
        self._encoders: dict[tuple[str, Operation], _RecordEncoder] = {}

    def encode(self, event: RecordEvent, identifier: str) -> Encoded:
        """Encode ``event`` as a row. Raises ``Rejection``."""
        encoder = self._encoders.get((event.object, event.operation))
        if encoder is None:
            # Objects come from upstream, so their number has no bound of its own.
            if len(self._encoders) >= MAX_CACHED:
                self._encoders.clear()
            encoder = self._encoders[event.object, event.operation] = self._encoder(event.object, event.operation)
        return encoder.encode(event, identifier)

    def _encoder(self, object_: str, operation: Operation) -> "_RecordEncoder":
        if not is_api_name(object_):
            raise Rejection(
                "unknown-object",
                f"expected an object's API name, such as Contact or Invoice__c, got {object_[:80]!r}; correct it",
            )
        identifier_field = of_object(self._settings.identifier_fields, object_)
        if operation == "insert" and self._needs_identifier and not identifier_field:
            raise Rejection(
                "no-identifier-field",
                f"expected a field of {object_} in `identifier_fields`: Bulk API 2.0 tells results of inserts apart "
                "by nothing else; name one there, upsert by an external id, or use salesforce_bulk1",
            )
        return _RecordEncoder(self._settings, self._row_format, object_, operation, identifier_field)


def of_object(by_object: Mapping[str, str], object_: str) -> str:
    """Return the setting for ``object_``, whatever the case of its letters; empty for none."""
    return {name.casefold(): value for name, value in by_object.items()}.get(object_.casefold(), "")


class _RecordEncoder:
    """Encoder of the records of one object and operation."""

    def __init__(
        self,
        settings: SalesforceSettings,
        row_format: RowFormat,
        object_: str,
        operation: Operation,
        identifier_field: str,
    ) -> None:
        self._object = object_
        self._folded = object_.casefold()
        self._operation = operation
        self._identifier_field = identifier_field if operation == "insert" else ""
        self._external_id = of_object(settings.external_ids, object_)
        self._sort_by = of_object(settings.sort_by, object_)
        self._clears = settings.empty_text == "clear"
        self._format = row_format
        self._shapes: dict[str, tuple[str, Shapes]] = {}

    def encode(self, event: RecordEvent, identifier: str) -> Encoded:
        key = read_key(event, self._external_id)
        batch_key, shapes = self._shapes_for("" if key is None else key.field)
        names: tuple[str, ...] = ()
        values: list[Value] = []
        cleared: list[str] = []
        # A delete is its Id alone. §3.5
        if self._operation not in ("delete", "hardDelete"):
            names, values, cleared = read_fields(self._format.decode(event.data), clears=self._clears)
        shape = shapes.find(names)
        keys = self._keys(key, identifier)
        if shape.has_key_in_data:
            values = _without_keys(values, shape.keys_at, keys)
        values = [*[written.value for written in keys], *values]
        sort_key = None
        if self._sort_by:
            sort_key = "" if shape.sort_at < 0 else value_text(values[shape.sort_at])
        return Encoded(
            batch_key,
            identifier if key is None or self._operation == "insert" else (self._folded, match_name(*key)),
            self._format.encode_row(shape.columns, values),
            self._operation != "insert",
            shape.columns if self._format.is_table else (),
            sort_key,
            CLEARED.format(", ".join(cleared)) if cleared else None,
        )

    def _keys(self, key: RecordKey | None, identifier: str) -> list[RecordKey]:
        """Return what is written before the data."""
        keys = [RecordKey(self._identifier_field, identifier)] if self._identifier_field else []
        return keys if key is None else [*keys, key]

    def _shapes_for(self, key_field: str) -> tuple[str, Shapes]:
        found = self._shapes.get(key_field)
        if found is None:
            found = self._shapes[key_field] = self._make_shapes(key_field)
        return found

    def _make_shapes(self, key_field: str) -> tuple[str, Shapes]:
        if key_field and key_field.casefold() == self._identifier_field.casefold():
            raise Rejection(
                "bad-key",
                f"expected another field than {key_field} as key of an insert: `identifier_fields` has it for our own "
                "identifier; use another one there or upstream",
            )
        if len(self._shapes) >= MAX_CACHED:
            self._shapes.clear()
        target = Target(self._object, self._operation, key_field if self._operation == "upsert" else "")
        key_fields = tuple(filter(None, (self._identifier_field, key_field)))
        return target.batch_key, Shapes(self._operation, key_fields, self._sort_by)


def _without_keys(values: list[Value], keys_at: tuple[int, ...], keys: list[RecordKey]) -> list[Value]:
    """Return ``values`` without those of the keys, which would be columns twice. §13 row 11 Raises ``Rejection``."""
    for at, key in zip(keys_at, keys, strict=True):
        if at >= 0 and values[at] != key.value and value_text(values[at]) != key.value:
            raise Rejection(
                "bad-key",
                f"field {key.field}: expected the value of the key, {key.value[:40]!r}, or no value, got another one; "
                "take it out of the data",
            )
    return [value for at, value in enumerate(values) if at not in keys_at]
