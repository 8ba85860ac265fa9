"""Checked query parameters of reads; an invalid one is a 400 that names its field. blueconic.md §7, §8."""

from sandbox.blueconic.errors import FieldError
from sandbox.http.messages import Request


class BadArgument(ValueError):
    """An invalid query parameter."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(f"{field}: {message}")
        self.field_error = FieldError(field=field, message=message)


def whole_number(request: Request, name: str, *, default: int, least: int, most: int) -> int:
    text = request.argument(name)
    if text is None:
        return default
    if not (text.isascii() and text.isdigit() and len(text) < 16 and least <= int(text) <= most):
        raise BadArgument(name, f"expected a whole number from {least} to {most}, got {text!r}")
    return int(text)


def names(request: Request, name: str) -> frozenset[str] | None:
    """Return the comma-separated names of a filter; null, without it, means all."""
    texts = request.query.get(name)
    return None if texts is None else frozenset(",".join(texts).split(","))
