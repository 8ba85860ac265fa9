"""``sluice publish --dry-run``: everything is read and checked, the first events are shown, nothing is sent."""

import click
import msgspec

from sluice.cli.exits import Exit
from sluice.cli.publish.file_publish import Records
from sluice.cli.publish.file_records import Prepared
from sluice.cli.publish.rows import BadRow
from sluice.client.publisher import RecordTooLarge, check_size
from sluice.events import encode_event
from sluice.kafka.sending import Message
from sluice.kafka.topic_admin import DEFAULT_MAX_MESSAGE_BYTES
from sluice.records import ordering_key

SHOWN = 5
"""Events, and rejected rows, that are shown."""


def show(records: Records) -> None:
    """Exits with ``SOME_FAILED`` when a row would be rejected. Kafka is not asked what it takes; its default counts."""
    good = bad = 0
    for record in records:
        refused = record if isinstance(record, BadRow) else _refused(record)
        if isinstance(refused, BadRow):
            bad += 1
            if bad <= SHOWN:
                click.echo(f"line {refused.line}: {refused.reason}", err=True)
        elif isinstance(record, Prepared):
            good += 1
            if good <= SHOWN:
                click.echo(msgspec.json.format(encode_event(record.event), indent=2))
    click.echo(f"would publish {good:,} records; rejected rows: {bad:,}; nothing was published", err=True)
    if bad:
        raise click.exceptions.Exit(Exit.SOME_FAILED)


def _refused(record: Prepared) -> BadRow | None:
    event = record.event
    try:
        check_size(Message(ordering_key(event), encode_event(event), []), DEFAULT_MAX_MESSAGE_BYTES)
    except RecordTooLarge as error:
        return record.refused(str(error))
    return None
