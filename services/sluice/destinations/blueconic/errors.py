"""BlueConic's errors: their shape, and what each status of an answer without results means."""

import httpx
import msgspec

from sluice.destinations.contract import Ambiguous, Misconfigured, Refused, Unavailable, http_status
from sluice.destinations.http import error_message, retry_after_s, unavailable_from
from sluice.destinations.vendor_answers import is_json

BARE_STATUSES = frozenset({401, 403, 429, 501, 503})
"""Statuses that may be BlueConic's own without a body: it declares none for them. §7 [spec] Nor does it for a 404, but
that one is to prove that something is absent, and there are proxies with a bare 404."""


class _Error(msgspec.Struct):
    """Either shape of an error. §7 [spec]"""

    code: int | None = None
    status: int | None = None
    error: "_Error | str | None" = None


_decode = msgspec.json.Decoder(_Error).decode


def is_own_error(response: httpx.Response) -> bool:
    """Return whether an error has BlueConic's shape: JSON that names the status of the answer, or no body at all."""
    status = response.status_code
    if not response.content:
        return status in BARE_STATUSES
    if not is_json(response):
        return False
    try:
        error = _decode(response.content)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return False
    inner = error.error if isinstance(error.error, _Error) else error
    return status in (error.code, inner.status)


def error_from(response: httpx.Response) -> Unavailable | Refused | Misconfigured | Ambiguous:
    """Return the error that ``response``, which has no results, means if it is BlueConic's own. §7"""
    status = response.status_code
    if (unavailable := unavailable_from(response)) is not None:
        return unavailable
    message = f"BlueConic answered {status}: {error_message(response)}"
    if status in (400, 413, 422):
        return Refused(str(status), message, status)
    # 408 is declared for reads only (§7 [spec]), so a proxy sent it, and may have passed the request on.
    if 300 <= status < 500 and status != 408:
        location = response.headers.get("location", "")
        hint = f", perhaps it is {location}" if location else ""
        return Misconfigured(f"{message}; check `url`{hint}", status)
    if status < 300:
        return Ambiguous(message)
    return Ambiguous(
        message,
        reason=http_status(status),
        retry_after_s=retry_after_s(response),
        overloaded=status in (408, 504),
    )


def read_error_from(response: httpx.Response) -> Unavailable | Misconfigured:
    """Return the error for an answer to a read, which can be asked again and is never ambiguous."""
    match error_from(response):
        case Unavailable() | Misconfigured() as error:
            return error
        case Ambiguous() as error:
            return Unavailable(error.reason, str(error), error.retry_after_s, overloaded=error.overloaded)
        case Refused() as error:
            return Misconfigured(str(error), error.http_status)
