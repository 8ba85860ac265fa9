"""The meaning of an answer that refuses a request as a whole. Code and status decide. §3.11, §4.3, §12

==============================================  ===================  ==================================================
answer                                          of a read            of a write
==============================================  ===================  ==================================================
invalid session, twice; any 401                 ``Unavailable``      the same
daily or concurrent quota used up               ``Unavailable``      the same, with a long wait
429                                             ``Unavailable``      the same
301, 302, 307, 308, twice                       ``Misconfigured``    the same: a redirect does nothing itself
retired version, no permission, wrong request   ``Misconfigured``    the same
too large; not found; any other code with a 4xx ``Refused``          the same
``ClientInputError`` otherwise, ``Timeout``     ``Unavailable``      ``Ambiguous``
408, 5xx, a success that cannot be read         ``Unavailable``      ``Ambiguous``
any answer that is not the vendor's own         the same, and never  the same if the items may be repeated; otherwise
                                                ``Refused``          ``Ambiguous``
==============================================  ===================  ==================================================

``InvalidEntity`` is a ``Refused``, not a matter of configuration as §12 has it [assumed]: a record of an object that
the Bulk API does not take would hold up those of all others, and no setting or right helps.

A ``Refused`` has the vendor's code, verbatim: compare it with :func:`is_code`, because each API spells it in its own
way. One verb knows what it is about, such as an unknown job.
"""

import re

import httpx

from sluice.destinations.contract import (
    Ambiguous,
    BatchError,
    HoldReason,
    Misconfigured,
    Refused,
    Unavailable,
    http_status,
    unproven,
)
from sluice.destinations.http import error_message, message_line, retry_after_s
from sluice.destinations.salesforce.session import MOVES
from sluice.destinations.salesforce.vendor_errors import SESSION_CODE, VendorError, fold, read_error, secrets_in

QUOTA_WAIT_S = 900.0
"""Wait for a budget that is used up. A daily one comes back over hours, a concurrent one in seconds, and no code tells
them apart. §4.3 [docs], figure [assumed]"""
QUOTA_CODES = ("ExceededQuota", "REQUEST_LIMIT_EXCEEDED", "STORAGE_LIMIT_EXCEEDED")
TOO_LARGE = "Exceeded max size limit"
"""The one message that is read: the same code stands for a body that was cut off on its way. §3.11 [issue reports]"""
_BEFORE_ITS_END = ("ClientInputError", "Timeout")
"""Codes that do not say how far the vendor came. §3.11"""
_RETIRED = ("Gone", "UNSUPPORTED_API_VERSION", "InvalidVersion")
_ADVICE = {
    fold(code): advice
    for code, advice in {
        "FeatureNotEnabled": "enable the Bulk API for the org; hardDelete needs the permission Bulk API Hard Delete",
        "InvalidUser": "give the user API Enabled, and rights on the object; only who made a job may close it",
        "InvalidOperation": "the Bulk API does not take this operation",
        "InvalidUrl": "correct `url` and `api_version`",
        "InvalidXML": "the vendor did not read our XML; report it",
        "UnsupportedContentType": "correct `content_type`",
        "HttpsRequired": "correct `url` to https",
        "API_CURRENTLY_DISABLED": "the vendor has switched the org's API off",
        "API_DISABLED_FOR_ORG": "the org's edition has no API; give the user API Enabled",
        "METHOD_NOT_ALLOWED": "correct `url`",
    }.items()
}
"""Codes that need a person. The first is of the org or the user, most others of the settings. §3.11, class §12"""
_PERMISSION = "give the user API Enabled, and rights on the object and its fields"


def is_code(refused: Refused, *codes: str) -> bool:
    """Return whether ``refused`` has one of ``codes``, however it is spelt."""
    return VendorError(refused.code, "").has_code(*codes)


def write_error(response: httpx.Response, *, is_own: bool, may_be_repeated: bool) -> BatchError:
    """Return the error of a write; ``is_own``: the answer is the vendor's own."""
    error = _error_from(response)
    if is_own or response.status_code in MOVES:
        return error
    return unproven(error, may_be_repeated=may_be_repeated)


def read_error_of(response: httpx.Response, *, is_own: bool) -> Unavailable | Refused | Misconfigured:
    """Return the error of a read, which can be asked again and is never ambiguous."""
    match _error_from(response):
        case Refused() as error if not is_own:
            return Misconfigured(f"{error}; perhaps not by the vendor itself", error.http_status)
        case Unavailable() | Refused() | Misconfigured() as error:
            return error
        case error:
            return unavailable_of(error)


def not_made(refused: Refused) -> Refused | Misconfigured:
    """Return the error of a job that was not made.

    The request has no record. So the vendor's own refusal is of the job's object or operation, which all records of a
    batch share; and an answer that is not its own, or says that the call is unknown, is of no record at all.
    """
    if refused.may_be_at_work:
        return Misconfigured(f"{refused}; perhaps not by the vendor itself", refused.http_status)
    if is_code(refused, "NOT_FOUND"):
        return Misconfigured(f"{refused}; correct `url` and `api_version`", refused.http_status)
    return refused


def unavailable_of(error: BatchError) -> Unavailable:
    """Return the outage that ``error`` is where nothing can have been applied, such as of a read."""
    if isinstance(error, Ambiguous):
        return Unavailable(error.reason, str(error), error.retry_after_s, overloaded=error.overloaded)
    return Unavailable("no-answer", str(error))


def _error_from(response: httpx.Response) -> BatchError:
    status = response.status_code
    error = read_error(response)
    if error is None:
        return _error_without_code(response, f"{_who(response)} answered {status}: {_words(response)}")
    message = f"{_who(response)} answered {status} {error.code}: {error.message}"
    if error.has_code(SESSION_CODE) or status == 401:
        return Unavailable("auth", f"{message}; a new session did not help: look who else logs this user out")
    if error.has_code(*QUOTA_CODES):
        return Unavailable("quota", message, retry_after_s(response) or QUOTA_WAIT_S)
    if error.has_code("ClientInputError") and TOO_LARGE in error.message:
        return Refused(error.code, message, status)
    if error.has_code(*_RETIRED):
        return _retired(response, message)
    if error.has_code(*_BEFORE_ITS_END):
        return Ambiguous(message, reason=http_status(status), overloaded=error.has_code("Timeout"))
    advice = _ADVICE.get(fold(error.code))
    if advice is None and not (status == 400 or status == 404):
        return _error_without_code(response, message)
    return Refused(error.code, message, status) if advice is None else Misconfigured(f"{message}; {advice}", status)


def _error_without_code(response: httpx.Response, message: str) -> BatchError:
    """Return the meaning of the status alone."""
    match response.status_code:
        case 401:
            return Unavailable("auth", f"{message}; check `login`", retry_after_s(response))
        case 429:
            return Unavailable("429", message, retry_after_s(response), overloaded=True)
        case 403:
            return Misconfigured(f"{message}; {_PERMISSION}", 403)
        case 410:
            return _retired(response, message)
        case 400 | 413 | 422 as status:
            return Refused(str(status), message, status)
        case status if 300 <= status < 400:
            place = response.headers.get("location", "nowhere")[:200]
            return Misconfigured(f"{message}; it points to {place}, after a new login too: correct `url`", status)
        case status if 400 < status < 500 and status != 408:
            return Misconfigured(f"{message}; correct `url`", status)
        case status:
            reason: HoldReason = "no-answer" if status < 300 else http_status(status)
            overloaded = status in (408, 503, 504)
            return Ambiguous(message, reason=reason, retry_after_s=retry_after_s(response), overloaded=overloaded)


def _retired(response: httpx.Response, message: str) -> Misconfigured:
    found = re.search(r"/(?:async/|v)([0-9]+\.[0-9])", response.request.url.path)
    version = f"version {found[1]}" if found else "this version"
    return Misconfigured(f"{message}; the vendor does not serve {version} any more: set `api_version`", 410)


def _who(response: httpx.Response) -> str:
    return f"Salesforce at {response.request.url.host}"


def _words(response: httpx.Response) -> str:
    return message_line(error_message(response), secrets_in(response.request))
