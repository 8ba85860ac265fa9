"""``sluice publish --dry-run``: reads and checks everything, shows the first events, sends nothing."""

import click
import msgspec

from sluice.cli.exits import Exit
from sluice.cli.publish.file_records import FileRecord, Records
from sluice.cli.publish.input_file import BadRow
from sluice.cli.terminal import printable
from sluice.client.publisher import RecordTooLarge, check_size
from sluice.events import encode_event
from sluice.kafka.sending import Message
from sluice.kafka.topic_admin import DEFAULT_MAX_MESSAGE_BYTES
from sluice.records import ordering_key

SHOWN = 5
"""Events, and rejected rows, that are shown."""


def show_records(records: Records) -> None:
    """Check ``records`` and print the first ones; exit with ``SOME_FAILED`` when a row would be rejected.

    Kafka is not asked for the largest record that the topic takes; Kafka's default is assumed.
    """
    good = bad = 0
    for record in map(_checked, records):
        if isinstance(record, BadRow):
            bad += 1
            if bad <= SHOWN:
                click.echo(f"line {record.line}: {record.reason}", err=True)
        else:
            good += 1
            if good <= SHOWN:
                if record.message_key is not None:
                    click.echo(f"message key {printable(record.message_key.decode())}:")
                click.echo(msgspec.json.format(encode_event(record.event), indent=2))
    click.echo(f"would publish {good:,} records; rejected rows: {bad:,}; nothing was published", err=True)
    if bad:
        raise click.exceptions.Exit(Exit.SOME_FAILED)


def _checked(record: FileRecord | BadRow) -> FileRecord | BadRow:
    if isinstance(record, BadRow):
        return record
    event = record.event
    try:
        key = ordering_key(event) if record.message_key is None else record.message_key
        check_size(Message(key, encode_event(event), []), DEFAULT_MAX_MESSAGE_BYTES)
    except RecordTooLarge as error:
        return record.rejected(str(error))
    return record
