"""Meaning of each status. §10, §14, §15

======================  ======================  ========================  =============================================
answer                  to a read               to a repeatable write     to a create
======================  ======================  ========================  =============================================
401 twice, 429          ``Unavailable``         the same                  the same
408, 5xx                ``Unavailable``         ``Ambiguous``, 503 an     ``Ambiguous``
                                                outage
400, 404, 405, 409, …   ``Refused``             the same                  the same
as JSON
403, 3xx, a page, one   as the probe says       the same                  the same; all but a 403 of the vendor's own
of these without JSON                                                     ``Ambiguous``
======================  ======================  ========================  =============================================
"""

from typing import Literal

import httpx

from sluice.destinations.bloom_growth.answers import is_json_text, read_record
from sluice.destinations.bloom_growth.assumptions import RATE_LIMITED_S
from sluice.destinations.contract import (
    Ambiguous,
    BatchError,
    Misconfigured,
    Refused,
    Unavailable,
    http_status,
    unproven,
)
from sluice.destinations.http import describe_request, error_message, retry_after_s

Effect = Literal["read", "repeatable", "create"]
"""The kind of a call: without effect, with one that a repeat leaves as it is, with one that a repeat doubles."""

Hold = Unavailable | Misconfigured
"""An outage, or what a person must change: nothing is written meanwhile."""
Fault = Refused | Ambiguous
"""The end of one item: refused, or for a create that may have been applied, not known."""

BARE_STATUSES = frozenset({401, 403, 429})
"""Refusals that may be the vendor's own without a body. Error bodies are undocumented, §10"""


def is_own_error(response: httpx.Response) -> bool:
    """Return whether an error may be taken for the vendor's own: JSON of any shape (§10), or a bare refusal."""
    if not response.content:
        return response.status_code in BARE_STATUSES
    return is_json_text(response.content)


def needs_probe(response: httpx.Response, effect: Effect) -> bool:
    """Return whether only a probe tells an item's own fault from a destination that is away. §15"""
    status = response.status_code
    if not response.is_success:
        may_be_a_proxy_s = 400 <= status < 500 and status not in (401, 408, 429) and not is_own_error(response)
        return status == 403 or status < 400 or may_be_a_proxy_s
    if not response.content:
        return effect != "repeatable"  # these answer with an empty body, §3
    return not is_json_text(response.content)


def error_from(response: httpx.Response, effect: Effect, *, is_own: bool) -> BatchError | None:
    """Return the error that ``response`` means by itself; ``None`` for a success, and for what needs a probe."""
    status = response.status_code
    if response.is_success or needs_probe(response, effect):
        return None
    message = describe_answer(response)
    if status in (401, 429):
        return _proven(_refused_for_now(response, message), effect, is_own=is_own)
    if status == 408 or status >= 500:
        return _failed(response, message, effect, is_own=is_own)
    return _proven(Refused(str(status), message, status), effect, is_own=is_own)


def fault_of(response: httpx.Response, effect: Effect, *, is_own: bool) -> Fault:
    """Return what ``response`` means when the probe has shown that the vendor takes our calls: the item's own fault."""
    status = response.status_code
    refused = Refused(str(status) if status >= 300 else "no-json", describe_answer(response), status)
    if effect == "read" or (status == 403 and is_own):
        return refused
    if effect == "create":
        return Ambiguous(f"{refused} (so it may have been applied)", refusal=refused)
    refused.may_be_at_work = True
    return refused


def hold_of(probed: httpx.Response) -> Hold | None:
    """Return what holds the destination by the answer to the probe; ``None`` when the vendor takes our calls. §15"""
    match error_from(probed, "read", is_own=True):
        case Unavailable() as error:
            return error
        case BatchError() as error:
            return Misconfigured(f"{error}; check `url`", probed.status_code)
    record = read_record(probed)
    if probed.is_success and record is not None and record.id is not None:
        return None
    message = describe_answer(probed)
    if probed.status_code == 403:
        return Unavailable("auth", f"{message}; check what the user may do", retry_after_s(probed))
    location = probed.headers.get("location", "")
    where = f", perhaps it is {location[:200]}" if location else ""
    return Misconfigured(f"{message}: a login or maintenance page, or a wrong `url`{where}", probed.status_code)


def describe_answer(response: httpx.Response) -> str:
    """Return the request and the vendor's words about it, for a message."""
    return f"{describe_request(response.request)} answered {response.status_code}: {error_message(response)}"


def _refused_for_now(response: httpx.Response, message: str) -> Unavailable:
    """Return the outage of a call that had no effect. §11, §14"""
    if response.status_code == 401:
        return Unavailable("auth", f"{message}; check the credentials", retry_after_s(response))
    wait_s = retry_after_s(response)
    return Unavailable("429", message, RATE_LIMITED_S if wait_s is None else wait_s, overloaded=True)


def _failed(response: httpx.Response, message: str, effect: Effect, *, is_own: bool) -> BatchError:
    """Return the error for trouble at the server or a gateway, which may have done the work all the same. §14"""
    status = response.status_code
    overloaded = status in (408, 503, 504)
    reason, wait_s = http_status(status), retry_after_s(response)
    if effect == "read" or (effect == "repeatable" and status == 503):
        return _proven(Unavailable(reason, message, wait_s, overloaded=overloaded), effect, is_own=is_own)
    return Ambiguous(message, reason=reason, retry_after_s=wait_s, overloaded=overloaded)


def _proven(error: BatchError, effect: Effect, *, is_own: bool) -> BatchError:
    return error if is_own or effect == "read" else unproven(error, may_be_repeated=effect == "repeatable")
