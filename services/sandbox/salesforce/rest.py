"""Checks and errors of all calls under ``/services/data``: version, session, budget, JSON. salesforce_bulk.md §4.3."""

from collections.abc import Callable

import msgspec

from sandbox.http.messages import Answer, Handler, Request, Response, as_json
from sandbox.salesforce import versions
from sandbox.salesforce.org import Org
from sandbox.salesforce.refusals import BatchRefused
from sandbox.salesforce.sessions import OrgUser

JSON = "application/json;charset=UTF-8"
"""§4.1 [docs]"""


class RestRefusal(Exception):
    """Refused call."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code

    def response(self) -> Response:
        """Return a JSON array of one error. §4.3 [docs]"""
        return as_rest_json([{"errorCode": self.code, "message": str(self)}], status=self.status)


class Caller(msgspec.Struct, frozen=True):
    """User who calls, and the API version that the path names."""

    user: OrgUser
    version: int


RestHandler = Callable[[Request, Caller], Answer]


def as_rest_json(value: object, *, status: int = 200) -> Response:
    return msgspec.structs.replace(as_json(value, status=status), content_type=JSON)


def not_found() -> RestRefusal:
    return RestRefusal(404, "NOT_FOUND", "The requested resource does not exist")


def not_allowed(allowed: tuple[str, ...]) -> Response:
    """Return the 405 with the methods that are allowed. §4.3 [docs], spelling [assumed]"""
    message = f"HTTP Method not allowed. Allowed are {','.join(allowed)}"
    answer = RestRefusal(405, "METHOD_NOT_ALLOWED", message).response()
    return msgspec.structs.replace(answer, headers=(("allow", ", ".join(allowed)),))


def bad_request(code: str, message: str) -> RestRefusal:
    return RestRefusal(400, code, message)


def rest_handler(org: Org, answer: RestHandler, *, oldest: int = versions.OLDEST) -> Handler:
    """Make a handler that checks a call and answers refusals. ``oldest`` is the first version with the call.

    A 1.0 code is spelt in upper case here. §4.3 [docs]
    """

    def handle(request: Request) -> Answer:
        try:
            return answer(request, _admitted(org, request, oldest))
        except RestRefusal as refusal:
            return refusal.response()
        except BatchRefused as refusal:
            return bad_request(refusal.code.upper(), refusal.message).response()

    return handle


def _admitted(org: Org, request: Request, oldest: int) -> Caller:
    letter, spelling = request.params["version"][:1], request.params["version"][1:]
    status = versions.status_of(spelling) if letter == "v" else "unknown"
    version = versions.number_of(spelling)
    if status == "retired":
        raise RestRefusal(410, "UNSUPPORTED_API_VERSION", f"API version {spelling} is no longer supported")
    if status == "unknown" or version < oldest:
        raise not_found()
    user = org.sessions.find(request)
    if user is None:
        raise RestRefusal(401, "INVALID_SESSION_ID", "Session expired or invalid")
    if not org.limits.api_requests.take():
        raise RestRefusal(403, "REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded.")
    return Caller(user, version)
