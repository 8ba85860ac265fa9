"""ZIP batches: a ``request.txt`` of rows, and the files that its ``#file`` values name. salesforce_bulk.md §3.1, §3.3.

The document only names the types. The rows have the job's format, a value of ``#`` and a file's name stands for that
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
from sandbox.salesforce.row_writer import Row, with_cells

REQUEST_NAME = "request.txt"
MAX_UNPACKED_BYTES = 20_000_000
MAX_FILES = 1_001


def unpack(body: bytes) -> tuple[bytes, dict[str, bytes]]:
    """Return the rows, and the other files by name. Raises ``BatchRefused``."""
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
    """Replace each ``#file`` value in the rows. Raises ``BatchRefused`` for a missing file.

    Rows may share a file, but all together not exceed the size that the archive may have. [assumed]
    """
    texts = {name: b64encode(content).decode() for name, content in files.items()}
    rows: list[Row] = [with_cells(row, [_resolved(cell, texts) for cell in row]) for row in content.rows]
    used = (len(files[_name(cell)]) for row in content.rows for cell in row if _is_name(cell))
    if sum(used) > MAX_UNPACKED_BYTES:
        raise malformed(f"Exceeded max size of unpacked zip content: {MAX_UNPACKED_BYTES}")
    return Content(content.columns, rows)


def _resolved(cell: Any, texts: Mapping[str, str]) -> Any:
    if not _is_name(cell):
        return cell
    if _name(cell) not in texts:
        raise malformed(f"File not found in zip content: {_name(cell)}")
    return texts[_name(cell)]


def _is_name(cell: Any) -> bool:
    return isinstance(cell, str) and cell.startswith("#")


def _name(cell: str) -> str:
    return cell[1:].removeprefix("/")


def _read_all(archive: zipfile.ZipFile) -> dict[str, bytes]:
    # Up to Python 3.11, ZipInfo.is_dir fails for an empty name.
    entries = [entry for entry in archive.infolist() if not entry.filename.endswith("/")]
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
