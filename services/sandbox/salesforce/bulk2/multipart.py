"""`multipart/form-data` create: part `job` (JSON) and part `content` (CSV). salesforce_bulk.md §4.1 [docs]."""

from io import BytesIO
from typing import Any

from python_multipart import parse_form
from python_multipart.exceptions import FormParserError

from sandbox.messages import Request
from sandbox.salesforce.rest import bad_request


def is_multipart(request: Request) -> bool:
    return request.header("content-type").lower().startswith("multipart/form-data")


def read_parts(request: Request, *, max_characters: int) -> tuple[bytes, bytes]:
    """The parts `job` and `content`. Raises :class:`RestRefusal`; its codes [assumed]."""
    parts = _parse(request)
    if parts.keys() != {"job", "content"}:
        found = ", ".join(sorted(parts)) or "none"
        raise bad_request("CLIENTINPUTERROR", f"expected the parts job and content, found: {found}")
    content = parts["content"]
    if len(content) > max_characters and len(content.decode("utf-8", "replace")) > max_characters:
        message = f"Failed to read request. Exceeded max size limit of {max_characters}"
        raise bad_request("CLIENTINPUTERROR", message)
    return parts["job"], content


def _parse(request: Request) -> dict[str, bytes]:
    parts: dict[str, bytes] = {}

    def keep_field(field: Any) -> None:
        parts[(field.field_name or b"").decode("utf-8", "replace")] = field.value or b""

    def keep_file(file: Any) -> None:
        file.file_object.seek(0)
        parts[(file.field_name or b"").decode("utf-8", "replace")] = file.file_object.read()

    headers = {"Content-Type": request.header("content-type").encode("latin-1")}
    try:
        parse_form(headers, BytesIO(request.body), keep_field, keep_file)
    except (FormParserError, ValueError) as error:
        raise bad_request("CLIENTINPUTERROR", f"expected multipart/form-data: {error}") from None
    return parts
