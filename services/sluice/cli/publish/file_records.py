"""Record events from a file: every row in the file's order, as a record or as a bad row."""

from collections.abc import Iterator
from typing import NamedTuple

import msgspec

from sluice.cli.publish.csv_rows import Empty, csv_header, csv_rows, delimiter_hint
from sluice.cli.publish.input_file import (
    BadRow,
    Fields,
    Format,
    InputFile,
    Row,
    UnusableFile,
    check_text,
    detect_format,
    excerpt,
)
from sluice.cli.publish.json_rows import UnparsedRow, json_elements, json_lines, parse_row
from sluice.cli.publish.row_events import RowEvents, check_columns
from sluice.events import RecordEvent, record_data
from sluice.records import InvalidRecord, read_record


class CsvOptions(NamedTuple):
    """The form of a CSV file."""

    delimiter: str | None
    """``None`` for a tab in a file called ``.tsv`` and a comma in all others."""
    empty: Empty


class FileRecord(NamedTuple):
    """A record that can be published, and the row that it was made from."""

    line: int
    event: RecordEvent
    content: Fields | str
    message_key: bytes | None = None
    """The Kafka message key, where it is not made from the event's key."""

    def rejected(self, reason: str) -> BadRow:
        """Return the row as one that cannot be published after all."""
        return BadRow(self.line, reason, self.content)


Records = Iterator[FileRecord | BadRow]


def row_records(file: InputFile, format_: Format | None, csv: CsvOptions, events: RowEvents) -> Records:
    """Yield every row of ``file`` as ``events`` makes it. Raises ``UnusableFile``."""
    for row in _rows(file, _format(file, format_), csv, events):
        if isinstance(row, BadRow):
            yield row
            continue
        try:
            yield FileRecord(row.line, events.event(row), row.fields)
        except InvalidRecord as error:
            yield BadRow(row.line, str(error), row.fields)


def complete_records(file: InputFile, format_: Format | None, job_id: str | None) -> Records:
    """Yield every record event that ``file`` holds. Raises ``UnusableFile``."""
    chosen = _format(file, format_)
    if chosen == "csv":
        raise UnusableFile(f"expected record events as JSON in {file.name}, got CSV; publish its rows without --events")
    for row in _unparsed(file, chosen):
        if isinstance(row, BadRow):
            yield row
            continue
        try:
            event = read_record(row.text)
        except InvalidRecord as error:
            yield BadRow(row.line, str(error), excerpt(row.text))
        else:
            if job_id is not None:
                event = msgspec.structs.replace(event, job_id=job_id)
            yield FileRecord(row.line, event, excerpt(row.text))


def with_message_keys(records: Records, field: str) -> Records:
    """Give each of ``records`` the value of a ``field`` of its data as message key; a row without one is a bad row."""
    for record in records:
        if isinstance(record, BadRow):
            yield record
            continue
        value = record_data(record.event).get(field)
        if isinstance(value, str | int) and not isinstance(value, bool) and value != "":
            yield record._replace(message_key=str(value).encode())
        else:
            got = "none" if value is None or value == "" else excerpt(msgspec.json.encode(value), 80)
            yield record.rejected(f"expected a text or a whole number in `{field}`, the message key, got {got}")


def _format(file: InputFile, chosen: Format | None) -> Format:
    check_text(file)
    return chosen or detect_format(file)


def _rows(file: InputFile, format_: Format, csv: CsvOptions, events: RowEvents) -> Iterator[Row | BadRow]:
    if format_ == "csv":
        is_tsv = file.name.removesuffix(".gz").lower().endswith(".tsv")
        delimiter = csv.delimiter or ("\t" if is_tsv else ",")
        header, reader = csv_header(file, delimiter)
        check_columns(events.columns, header, file.name, delimiter_hint(header))
        yield from csv_rows(header, reader, file.name, csv.empty)
    else:
        for row in _unparsed(file, format_):
            yield row if isinstance(row, BadRow) else parse_row(row)


def _unparsed(file: InputFile, format_: Format) -> Iterator[UnparsedRow | BadRow]:
    return json_elements(file) if format_ == "json" else json_lines(file)
