"""Errors: the meaning of each status of an answer without results. §11, Mapping

==================================  ===================================  =========================================
answer                              applied                              becomes
==================================  ===================================  =========================================
400, 413, 422                       nothing [docs] [assumed]             ``Refused``
401 twice, 403, 408, 429, 503       nothing [assumed]                    ``Unavailable``
3xx, any other 4xx                  nothing [assumed]                    ``Misconfigured``
other 5xx, lost, a 200 of no sense  unknown                              ``Ambiguous``
any error that is not the vendor's  unknown                              the same; where an item must not be repeated,
                                                                         ``Ambiguous``
==================================  ===================================  =========================================
"""

import httpx
import msgspec

from sluice.destinations.contract import Ambiguous, Misconfigured, Refused, Unavailable, http_status
from sluice.destinations.http import describe_request, error_message, retry_after_s, unavailable_from

BARE_STATUSES = frozenset({401, 403, 408, 413, 429, 503})
"""Statuses that may be the vendor's own without a body: it documents no bodies. §11"""


class _Error(msgspec.Struct):
    error: str


_decode = msgspec.json.Decoder(_Error).decode


def is_own_error(response: httpx.Response) -> bool:
    """Return whether an error has the vendor's shape: an object that names the ``error``, or nothing. §11 [assumed]"""
    if not response.content:
        return response.status_code in BARE_STATUSES
    try:
        _decode(response.content)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return False
    return True


def is_own_success(response: httpx.Response) -> bool:
    """Return whether a success is JSON, whatever it calls itself: the published scripts do not look either. §1"""
    return response.content.lstrip()[:1] in (b"{", b"[")


def error_from(response: httpx.Response) -> Unavailable | Refused | Misconfigured | Ambiguous:
    """Return the error that ``response``, which has no results, means if it is the vendor's own."""
    status = response.status_code
    if (unavailable := unavailable_from(response)) is not None:
        return unavailable
    message = f"{describe_request(response.request)} answered {status}: {error_message(response)}"
    if status == 408:
        return Unavailable(http_status(status), message, retry_after_s(response), overloaded=True)
    if status in (400, 413, 422):
        return Refused(str(status), message, status)
    if 300 <= status < 500:
        location = response.headers.get("location", "")
        hint = f", perhaps it is {location}" if location else ""
        return Misconfigured(f"{message}; check `url`{hint}", status)
    if status < 300:
        return Ambiguous(message)
    return Ambiguous(
        message, reason=http_status(status), retry_after_s=retry_after_s(response), overloaded=status == 504
    )


def read_error_from(error: Exception) -> Exception:
    """Return what ``error`` is worth for a read, which can be asked again and is never ambiguous."""
    if isinstance(error, Ambiguous):
        return Unavailable(error.reason, str(error), error.retry_after_s, overloaded=error.overloaded)
    return error
