"""From a file to record events: what can be published, and what cannot, in the file's order."""

from collections.abc import Iterator
from typing import NamedTuple

import msgspec

from sluice.cli.publish.csv_rows import Empty, csv_header, csv_rows, delimiter_hint
from sluice.cli.publish.input_file import Format, InputFile, check_text, default_delimiter, detect_format
from sluice.cli.publish.json_rows import Encoded, json_elements, json_lines, json_row
from sluice.cli.publish.row_events import RowEvents, check_columns
from sluice.cli.publish.rows import BadRow, Raw, Row, UnusableFile, shown
from sluice.events import RecordEvent
from sluice.records import InvalidRecord, read_record


class CsvOptions(NamedTuple):
    """How a CSV file is read."""

    delimiter: str | None
    """``None`` for a tab in a file called ``.tsv`` and a comma in all others."""
    empty: Empty


class Prepared(NamedTuple):
    """A record that can be published, and where it came from."""

    line: int
    event: RecordEvent
    content: Raw | str

    def refused(self, reason: str) -> BadRow:
        """What to report when it cannot be published after all."""
        return BadRow(self.line, reason, self.content)


def row_records(
    file: InputFile, format_: Format | None, csv: CsvOptions, events: RowEvents
) -> Iterator[Prepared | BadRow]:
    """Every row of ``file`` as ``events`` makes it. Raises :class:`~sluice.cli.publish.rows.UnusableFile`."""
    for row in _rows(file, _format(file, format_), csv, events):
        if isinstance(row, BadRow):
            yield row
            continue
        try:
            yield Prepared(row.line, events.event(row), row.fields)
        except InvalidRecord as error:
            yield BadRow(row.line, str(error), row.fields)


def complete_records(file: InputFile, format_: Format | None, job_id: str | None) -> Iterator[Prepared | BadRow]:
    """Every record event of ``file``, as it stands there. Raises :class:`~sluice.cli.publish.rows.UnusableFile`."""
    chosen = _format(file, format_)
    if chosen == "csv":
        raise UnusableFile(f"expected record events as JSON in {file.name}, got CSV; publish its rows without --events")
    for encoded in _encoded(file, chosen):
        if isinstance(encoded, BadRow):
            yield encoded
            continue
        try:
            event = read_record(encoded.text)
        except InvalidRecord as error:
            yield BadRow(encoded.line, str(error), shown(encoded.text))
        else:
            if job_id is not None:
                event = msgspec.structs.replace(event, job_id=job_id)
            yield Prepared(encoded.line, event, shown(encoded.text))


def _format(file: InputFile, chosen: Format | None) -> Format:
    check_text(file)
    return chosen or detect_format(file)


def _rows(file: InputFile, format_: Format, csv: CsvOptions, events: RowEvents) -> Iterator[Row | BadRow]:
    if format_ == "csv":
        header, reader = csv_header(file, csv.delimiter or default_delimiter(file))
        check_columns(events.columns, header, file.name, delimiter_hint(header))
        yield from csv_rows(header, reader, file.name, csv.empty)
    else:
        for encoded in _encoded(file, format_):
            yield encoded if isinstance(encoded, BadRow) else json_row(encoded)


def _encoded(file: InputFile, format_: Format) -> Iterator[Encoded | BadRow]:
    return json_elements(file) if format_ == "json" else json_lines(file)
