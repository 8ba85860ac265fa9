"""Makes record events of a file's rows, as the command line says."""

import difflib
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import msgspec

from sluice.cli.publish.csv_rows import is_utf8
from sluice.cli.publish.input_file import Row, UnusableFile, excerpt
from sluice.events import Key, RecordEvent
from sluice.records import InvalidRecord, make_record


class RowEvents(NamedTuple):
    """The fields that all events of a file share, and the columns that name each record."""

    object: str
    operation: str
    key: str | None
    """The column with the id."""
    match: Sequence[str]
    """The columns that together identify the record, where there is no ``key``."""
    keep_key: bool
    """True when those columns stay in the data, too."""
    job_id: str | None

    def event(self, row: Row) -> RecordEvent:
        """Make the record event of ``row``. Raises :class:`~sluice.records.InvalidRecord`."""
        fields = dict(row.fields)
        try:
            key = self._take_key(fields)
            return make_record(object=self.object, operation=self.operation, key=key, data=fields, job_id=self.job_id)
        except InvalidRecord:
            if not all(is_utf8(value) for value in row.fields.values() if isinstance(value, str)):
                raise InvalidRecord("expected text in UTF-8, got another encoding; convert the file") from None
            raise

    @property
    def columns(self) -> Sequence[str]:
        """The columns of ``key`` or ``match``."""
        return [self.key] if self.key is not None else self.match

    def _take_key(self, fields: dict[str, Any]) -> Key:
        values: dict[str, str] = {}
        for column in self.columns:
            if not fields.get(column):
                raise InvalidRecord(f"expected a value in the key column `{column}`, got none")
            value = _key_value(fields[column] if self.keep_key else fields.pop(column), column)
            if column == self.key:
                return value
            if not isinstance(value, str):
                raise InvalidRecord(f"expected a text or a whole number in the key column `{column}`, got {value!r}")
            values[column] = value
        return values or None


def check_columns(wanted: Iterable[str], known: Sequence[str], name: str, hint: str = "") -> None:
    """Raise ``UnusableFile`` for a column that is not among ``known``."""
    for column in wanted:
        if column not in known:
            close = difflib.get_close_matches(column, known, n=1, cutoff=0.5)
            nearest = f"; did you mean `{close[0]}`?" if close else f"; there are {_listed(known)}"
            raise UnusableFile(f"{name} has no column `{column}`{hint or nearest}")


_decode_key = msgspec.json.Decoder(str | int | dict[str, str] | list[dict[str, str]]).decode


def _key_value(value: str | msgspec.Raw, column: str) -> Key:
    """Return a text or a whole number as text. The event checks whether it makes a key."""
    if isinstance(value, str):
        return value
    try:
        decoded: int | Key = _decode_key(value)
    except (msgspec.DecodeError, RecursionError) as error:
        raise InvalidRecord(
            f"expected a text, a whole number, or names with texts in the key column `{column}`, got "
            f"{excerpt(bytes(value), 80)}"
        ) from error
    return str(decoded) if isinstance(decoded, int) else decoded


def _listed(columns: Sequence[str]) -> str:
    return ", ".join(f"`{column}`" for column in columns[:20]) + (", …" if len(columns) > 20 else "")
