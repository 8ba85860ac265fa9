"""``sluice publish``: publishes a file's rows as records."""

import asyncio
from contextlib import closing
from itertools import chain, islice

import click

from sluice.cli.exits import CommandFailed, Exit
from sluice.cli.publish.csv_rows import Empty
from sluice.cli.publish.dry_run import show_records
from sluice.cli.publish.file_publish import LINGER_S, FilePublisher
from sluice.cli.publish.file_records import CsvOptions, Records, complete_records, row_records, with_message_keys
from sluice.cli.publish.input_file import Format, UnusableFile, open_input
from sluice.cli.publish.rejects import SUFFIX, Rejects, rejects_path
from sluice.cli.publish.row_events import RowEvents
from sluice.client.connection import Connection, connect
from sluice.client.publisher import Publisher
from sluice.records import OPERATIONS
from sluice.telemetry.tracing import start_tracing


@click.command()
@click.argument("destination")
@click.argument("file")
@click.option("--object", "object_", metavar="NAME", help="What the rows are at the vendor, such as group/company.")
@click.option("--operation", type=click.Choice(OPERATIONS), help="What to do with each record.  [default: upsert]")
@click.option("--key", metavar="COLUMN", help="The column with each record's id.")
@click.option(
    "--match",
    metavar="COLUMN",
    multiple=True,
    help="Instead of --key: a column whose name and value identify the record at the vendor. May be repeated.",
)
@click.option(
    "--message-key",
    metavar="FIELD",
    help="A field of data whose value is the Kafka message key: records that share it are applied in order.  "
    "[default: the record's key]",
)
@click.option("--keep-key", is_flag=True, help="Send the columns of --key and --match as data, too.")
@click.option("--events", is_flag=True, help="FILE holds complete record events as JSON: publish them as they are.")
@click.option("--job-id", metavar="ID", help="Give all records this job id, by which their receipts can be selected.")
@click.option(
    "--format",
    "format_",
    type=click.Choice(["csv", "jsonl", "json"]),
    help="CSV with a header, one JSON object a line, or one array.  [default: by FILE's name and content]",
)
@click.option(
    "--delimiter", metavar="CHARACTER", help="Between the columns of CSV.  [default: a comma; in .tsv files a tab]"
)
@click.option(
    "--empty",
    type=click.Choice(["omit", "null", "text"]),
    default="omit",
    show_default=True,
    help="What an empty cell of CSV becomes: nothing, null, or an empty text.",
)
@click.option("--rate", type=click.FloatRange(min=0, min_open=True), metavar="N", help="At most N records a second.")
@click.option("--rejects", metavar="FILE", help=f"The file for rejected rows.  [default: FILE{SUFFIX}]")
@click.option("--dry-run", is_flag=True, help="Read and check everything, show the first events, publish nothing.")
@click.pass_obj
def publish(
    config: str,
    destination: str,
    file: str,
    object_: str | None,
    operation: str | None,
    key: str | None,
    match: tuple[str, ...],
    message_key: str | None,
    keep_key: bool,
    events: bool,
    job_id: str | None,
    format_: Format | None,
    delimiter: str | None,
    empty: Empty,
    rate: float | None,
    rejects: str | None,
    dry_run: bool,
) -> None:
    """Publish the rows of FILE to DESTINATION.

    FILE is CSV, JSON Lines or a JSON array, gzip or not; - is standard input. A row that cannot be published is
    written to the rejects file, with its line and the reason; the other rows are published, and the exit code is 1.

    Values of CSV stay text. A JSON row may have up to 16 MiB while it is read, and a record as much as the topic
    takes (max.message.bytes).
    """
    connection = connect(config)
    connection.topics(destination)  # a wrong name is an error before the file is read
    if events and (object_ or operation or key or match):
        raise click.UsageError("--events publishes what FILE says: leave --object, --operation, --key and --match out")
    if delimiter is not None and len(delimiter) != 1:
        raise click.UsageError(f"expected one character for --delimiter, got {delimiter!r}")
    rows = None if events else _row_events(object_, operation or "upsert", key, match, keep_key, job_id)
    csv = CsvOptions(delimiter, empty)
    try:
        with open_input(file) as source:
            records = row_records(source, format_, csv, rows) if rows else complete_records(source, format_, job_id)
            records = _start_reading(with_message_keys(records, message_key) if message_key else records)
            if dry_run:
                show_records(records)
            else:
                with closing(Rejects(rejects_path(file, rejects))) as rejected:
                    _run_and_report(FilePublisher(source, records, rejected, rate), destination, connection)
    except UnusableFile as error:
        raise CommandFailed(str(error), Exit.USAGE) from error


def _row_events(
    object_: str | None, operation: str, key: str | None, match: tuple[str, ...], keep_key: bool, job_id: str | None
) -> RowEvents:
    if not object_:
        raise click.UsageError("say what the rows are at the vendor with --object, such as --object group/company")
    if key and match:
        raise click.UsageError("--key is an id, --match names fields that identify the record: leave one of them out")
    if not key and not match and operation != "insert":
        raise click.UsageError(f"an {operation} needs to know the record: name the column with its id with --key")
    return RowEvents(object_, operation, key, match, keep_key, job_id)


def _start_reading(records: Records) -> Records:
    """Read the first record, so that an unusable file ends the command before Kafka is asked; return all records."""
    return chain(list(islice(records, 1)), records)


def _run_and_report(file_publisher: FilePublisher, destination: str, connection: Connection) -> None:
    """Publish the file and print a summary. Raises ``CommandFailed`` or ``Exit`` where not everything was published."""
    stop_tracing = start_tracing(connection.tracing, "sluice-publish")
    try:
        asyncio.run(file_publisher.publish_file(Publisher(destination, connection, linger_s=LINGER_S)))
    finally:
        if file_publisher.published or file_publisher.rejected:
            click.echo(file_publisher.summary)
        stop_tracing()
    if file_publisher.stopped_by is not None:
        code = Exit.SOME_FAILED if file_publisher.published else Exit.USAGE
        raise CommandFailed(str(file_publisher.stopped_by), code)
    if file_publisher.rejected:
        raise click.exceptions.Exit(Exit.SOME_FAILED)
