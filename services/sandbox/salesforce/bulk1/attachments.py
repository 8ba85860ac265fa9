"""ZIP batches: a `request.txt` of rows, and the files that its `#file` values name. salesforce_bulk.md §3.1, §3.3.

The document names the types and no more. The rows' format is the job's, a value `#` and a file's name stands for that
file in base64, and the archive may unpack to twice the size of a batch. [assumed]
"""

import io
import lzma
import zipfile
import zlib
from base64 import b64encode
from collections.abc import Mapping
from typing import Any

from sandbox.salesforce.bulk1.content import Content, malformed

REQUEST_NAME = "request.txt"
MAX_UNPACKED_BYTES = 20_000_000
MAX_FILES = 1_001


def unpack(body: bytes) -> tuple[bytes, dict[str, bytes]]:
    """The rows and the other files by name. Raises `BatchRefused`."""
    try:
        with zipfile.ZipFile(io.BytesIO(body)) as archive:
            files = _read_all(archive)
    except _UNREADABLE_ZIP as error:
        raise malformed(f"Unable to read zip content: {error}") from error
    rows = files.pop(REQUEST_NAME, None)
    if rows is None:
        raise malformed(f"Unable to read zip content: {REQUEST_NAME} is missing")
    return rows, files


def with_files(content: Content, files: Mapping[str, bytes]) -> Content:
    """The rows with each `#file` value replaced. Raises `BatchRefused` for a file that is not there."""
    return Content(content.columns, [[_resolved(cell, files) for cell in row] for row in content.rows])


def _resolved(cell: Any, files: Mapping[str, bytes]) -> Any:
    if not isinstance(cell, str) or not cell.startswith("#"):
        return cell
    name = cell[1:].removeprefix("/")
    if name not in files:
        raise malformed(f"File not found in zip content: {name}")
    return b64encode(files[name]).decode()


def _read_all(archive: zipfile.ZipFile) -> dict[str, bytes]:
    entries = [entry for entry in archive.infolist() if not entry.is_dir()]
    if len(entries) > MAX_FILES:
        raise malformed(f"Exceeded number of files in zip content: {len(entries)}")
    files: dict[str, bytes] = {}
    left = MAX_UNPACKED_BYTES
    for entry in entries:
        with archive.open(entry) as packed:
            files[entry.filename] = packed.read(left + 1)
        left -= len(files[entry.filename])
        if left < 0:
            raise malformed(f"Exceeded max size of unpacked zip content: {MAX_UNPACKED_BYTES}")
    return files


_UNREADABLE_ZIP = (
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
    EOFError,
    NotImplementedError,  # a compression that this Python lacks
    OSError,
    RuntimeError,  # encrypted
    UnicodeDecodeError,
    ValueError,
)
