"""The body of an import's submit: a form of parts, as the published script sends it. §7

The file is JSON: values are never put into a template, which would let them end the text that they stand in (X17).
"""

from hashlib import blake2b

JSON = "application/json"


def boundary_of(file: bytes) -> str:
    """Return a boundary that does not stand in ``file``."""
    boundary = blake2b(file, digest_size=16).hexdigest()
    while boundary.encode() in file:
        boundary = blake2b(boundary.encode(), digest_size=16).hexdigest()
    return boundary


def import_form(
    file: bytes, boundary: str, *, job_name: str, item_type: str, merge: bool, notification_email: str | None
) -> bytes:
    """Return the body. ``merge`` is always said: without it the vendor overrides.

    Options that are not given are left out, never sent empty. [client]
    """
    fields = {
        "jobName": job_name,
        "itemType": item_type,
        "contentType": JSON,
        "merge": str(merge),
        **({} if notification_email is None else {"notificationEmail": notification_email}),
    }
    head = "".join(_field(boundary, name, value) for name, value in fields.items())
    head += (
        f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="{job_name}.json"\r\n'
        f"Content-Type: {JSON}\r\nExpires: 0\r\n\r\n"
    )
    return b"".join((head.encode(), file, f"\r\n--{boundary}--\r\n".encode()))


def _field(boundary: str, name: str, value: str) -> str:
    return f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{_line(value)}\r\n'


def _line(value: str) -> str:
    return " ".join(value.split())
