"""The org as a vendor: its routes, and the handling that all calls share. salesforce_bulk.md §1, §2, §9."""

import re
from collections.abc import Sequence

import msgspec

from sandbox.faults.fault import Selection
from sandbox.http.messages import Answer, Handler, Request, Response
from sandbox.http.routing import Route
from sandbox.ledger.ledger import Ledger
from sandbox.salesforce.bulk1.admission import MAX_BODY_BYTES, finished
from sandbox.salesforce.bulk1.faults import FAULT_KINDS as BULK1_FAULT_KINDS
from sandbox.salesforce.bulk1.routes import bulk1_routes
from sandbox.salesforce.bulk2.routes import bulk2_routes
from sandbox.salesforce.describe import describe_route
from sandbox.salesforce.faults import FAULT_KINDS, Moved, NearlyUsedUp
from sandbox.salesforce.jobs_endpoint import jobs_routes
from sandbox.salesforce.login.credentials import Credentials
from sandbox.salesforce.login.oauth import OAuth
from sandbox.salesforce.login.soap_login import soap_routes
from sandbox.salesforce.org import Org
from sandbox.salesforce.rest import as_rest_json, not_allowed, not_found, rest_handler
from sandbox.salesforce.rest_query.calls import query_routes
from sandbox.salesforce.settings import Settings
from sandbox.vendor import Vendor

_SLASHES = re.compile("/{2,}")
_UNPROCESSED = re.compile("/unprocessedrecords$", re.IGNORECASE)


class Salesforce(Vendor):
    """One org with no records but its users."""

    name = "salesforce"
    fault_kinds: Sequence[type[Selection]] = (*FAULT_KINDS, *BULK1_FAULT_KINDS)

    def __init__(self, settings: Settings | None = None, *, ledger: Ledger | None = None) -> None:
        super().__init__(ledger)
        self.settings = settings or Settings()
        self.max_body_bytes = max(self.settings.max_upload_bytes, MAX_BODY_BYTES) + 1
        self.org = Org(self.settings, self.clock, self.ledger, self.faults)
        self._credentials = Credentials(self.settings, self.org.sessions, self.clock)
        calls = [*bulk1_routes(self.org), *bulk2_routes(self.org), *query_routes(self.org)]
        calls += [describe_route(self.org), _limits_route(self.org)]
        self.routes: Sequence[Route] = [
            *soap_routes(self.org, self._credentials),
            Route("POST", "/services/oauth2/token", OAuth(self.org, self._credentials).token),
            *jobs_routes(self.org),
            *(Route(route.method, route.path, self._shared(route.answer), route.pool) for route in calls),
        ]

    def canonical_path(self, raw_path: str) -> str:
        """Return the path with single slashes (sfbulk sends ``//services``, §2.1), none at the end (WSC posts
        ``/job/``, §3.1), and ``unprocessedRecords`` in lower case, because clients vary (§4.1).
        """
        path = _SLASHES.sub("/", raw_path).rstrip("/") or "/"
        return _UNPROCESSED.sub("/unprocessedrecords", path)

    def unrouted(self, allowed: tuple[str, ...]) -> Response:
        """Return a 404 or 405 as the REST APIs do. §4.3 [docs], spelling [assumed]"""
        return not_allowed(allowed) if allowed else not_found().response()

    def expire_tokens(self) -> int:
        return self.org.sessions.expire_all()

    def catch_up(self) -> None:
        self.org.catch_up()

    def state(self) -> dict[str, object]:
        records = {table.kind.name: len(table) for table in self.org.tables.values()}
        used = self.org.limits.used()
        return {"records": records, "jobs": len(self.org.jobs), "sessions": len(self.org.sessions), "used": used}

    def reset(self) -> None:
        self.org.reset()
        self._credentials.clear()

    def _shared(self, answer: Handler) -> Handler:
        """Run due actions after every call too, so that a job that takes no time is over at once.

        Each API counts its calls itself, because each answers a call too many in its own way. ``Sforce-Limit-Info``
        stands on every answer. §3.1 [docs]
        """

        def shared(request: Request) -> Answer:
            for fault in self.faults.acting((NearlyUsedUp,), request.method, request.path, request.body):
                self._use_up(fault)
            if (moved := self._moved(request)) is not None:
                return moved
            answered = answer(request)
            self.org.catch_up()
            return finished(answered, self._with_usage)

        return shared

    def _moved(self, request: Request) -> Response | None:
        """Return the redirect to the org's new address; null for a call that is there. §13.16 [docs]"""
        host = request.header("host")
        if not any(isinstance(one.fault, Moved) and not one.fault.is_at(host) for one in self.faults.standing()):
            return None
        for fault in self.faults.acting((Moved,), request.method, request.path, request.body):
            query = request.query_string.decode("latin-1")
            target = f"{fault.location.rstrip('/')}{request.path}{'?' if query else ''}{query}"
            return Response(status=fault.status, headers=(("location", target),))
        return None

    def _use_up(self, fault: NearlyUsedUp) -> None:
        if fault.api_requests_left is not None:
            self.org.limits.api_requests.leave(fault.api_requests_left)
        if fault.batches_left is not None:
            self.org.limits.batches.leave(fault.batches_left)

    def _with_usage(self, response: Response) -> Response:
        return msgspec.structs.replace(response, headers=(*response.headers, self.org.limits.header()))


def _limits_route(org: Org) -> Route:
    """Return the route of the day's budgets. §9 [docs]"""
    return Route(
        "GET", "/services/data/{version}/limits", rest_handler(org, lambda *_: as_rest_json(org.limits.shown()))
    )
