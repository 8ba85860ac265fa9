"""``multipart/form-data`` create: part ``job`` (JSON) and part ``content`` (CSV). salesforce_bulk.md §4.1 [docs]."""

from sandbox.http import multipart
from sandbox.http.messages import Request
from sandbox.salesforce.rest import bad_request


def read_parts(request: Request, *, max_characters: int) -> tuple[bytes, bytes]:
    """Return the parts ``job`` and ``content``. Raises ``RestRefusal``; its codes [assumed]."""
    try:
        parts = multipart.read_parts(request.header("content-type"), request.body)
    except ValueError as error:
        raise bad_request("CLIENTINPUTERROR", f"expected {multipart.MULTIPART}: {error}") from None
    if parts.keys() != {"job", "content"}:
        found = ", ".join(sorted(parts)) or "none"
        raise bad_request("CLIENTINPUTERROR", f"expected the parts job and content, found: {found}")
    content = parts["content"]
    if len(content) > max_characters and len(content.decode("utf-8", "replace")) > max_characters:
        message = f"Failed to read request. Exceeded max size limit of {max_characters}"
        raise bad_request("CLIENTINPUTERROR", message)
    return parts["job"], content
