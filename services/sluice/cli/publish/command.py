"""``sluice publish``: a file's rows as records."""

import asyncio
from itertools import chain, islice

import click

from sluice.cli.exits import CommandFailed, Exit
from sluice.cli.publish.csv_rows import Empty
from sluice.cli.publish.dry_run import show
from sluice.cli.publish.file_publish import LINGER_S, Publication, Records
from sluice.cli.publish.file_records import CsvOptions, complete_records, row_records
from sluice.cli.publish.input_file import Format, InputFile, open_input
from sluice.cli.publish.rejects import SUFFIX, Rejects, rejects_path
from sluice.cli.publish.row_events import RowEvents
from sluice.cli.publish.rows import UnusableFile
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
@click.option("--keep-key", is_flag=True, help="Send the columns of --key and --match as data, too.")
@click.option("--events", is_flag=True, help="FILE holds complete record events as JSON: publish them as they are.")
@click.option("--job-id", metavar="ID", help="Follow these records together under this name.")
@click.option(
    "--format",
    "format_",
    type=click.Choice(["csv", "jsonl", "json"]),
    help="CSV with a header, one object a line, or one array.  [default: by FILE's name and content]",
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
@click.option("--rejects", metavar="FILE", help=f"Where rejected rows go.  [default: FILE{SUFFIX}]")
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

    FILE is CSV, JSON Lines or a JSON array, gzip or not; - is standard input. A row that cannot be published goes to
    the rejects file, with its line and the reason, and the rest goes on; the exit code is then 1.

    Values of CSV stay text. A JSON row may have up to 16 MiB while it is read, and a record as much as the topic
    takes (max.message.bytes).
    """
    connection = connect(config)
    connection.topics(destination)  # a wrong name is found before the file is read
    if events and (object_ or operation or key or match):
        raise click.UsageError("--events publishes what FILE says: leave --object, --operation, --key and --match out")
    if delimiter is not None and len(delimiter) != 1:
        raise click.UsageError(f"expected one character for --delimiter, got {delimiter!r}")
    rows = None if events else _row_events(object_, operation or "upsert", key, match, keep_key, job_id)
    csv = CsvOptions(delimiter, empty)
    try:
        with open_input(file) as source:
            records = row_records(source, format_, csv, rows) if rows else complete_records(source, format_, job_id)
            records = _begun(records)
            if dry_run:
                show(records)
            else:
                with Rejects(rejects_path(file, rejects)) as rejected:
                    _publish(connection, destination, source, records, rejected, rate)
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


def _begun(records: Records) -> Records:
    """The same; what is wrong with the whole file is found before Kafka is asked. Raises ``UnusableFile``."""
    return chain(list(islice(records, 1)), records)


def _publish(
    connection: Connection,
    destination: str,
    source: InputFile,
    records: Records,
    rejected: Rejects,
    rate: float | None,
) -> None:
    publication = Publication(source, records, rejected, rate)
    stop_tracing = start_tracing(connection.tracing, "sluice-publish")
    try:
        asyncio.run(_run(publication, destination, connection))
    finally:
        if publication.published or rejected.count:
            click.echo(str(publication))
        stop_tracing()
    if publication.stopped_by is not None:
        code = Exit.SOME_FAILED if publication.published else Exit.USAGE
        raise CommandFailed(str(publication.stopped_by), code)
    if rejected.count:
        raise click.exceptions.Exit(Exit.SOME_FAILED)


async def _run(publication: Publication, destination: str, connection: Connection) -> None:
    await publication.run(Publisher(destination, connection, linger_s=LINGER_S))
