"""Files to publish, and what Kafka and the rejects file have of them."""

import asyncio
import io
import json
from pathlib import Path
from typing import Any

from click.testing import Result

from sluice.cli.publish.input_file import InputFile
from sluice.client.connection import Connection
from tests.cli.conftest import Run
from tests.support.topics import read_all

COMPANIES = "id,name,city\n1,Acme,Berlin\n2,Initech,\n"
KEYED = ("--object", "group/company", "--key", "id")


def opened(content: bytes) -> InputFile:
    """Return a file that is open for reading."""
    stream = io.BufferedReader(io.BytesIO(content))
    return InputFile("a.file", stream, len(content), stream)


def published(connection: Connection) -> list[dict[str, Any]]:
    """Return the events in the records topic of ``crm``, by their keys."""
    records = asyncio.run(read_all(connection, connection.topics("crm").records))
    return sorted((json.loads(record.value) for record in records), key=lambda event: str(event.get("key")))


def rejects(path: str) -> list[dict[str, Any]]:
    """Return the lines of a rejects file."""
    return [json.loads(line) for line in Path(path).read_text().splitlines()]


def publish(run: Run, name: str, content: str | bytes, *options: str) -> Result:
    """Write a file and publish it to ``crm``."""
    Path(name).write_bytes(content.encode() if isinstance(content, str) else content)
    return run("publish", "crm", name, *options)
