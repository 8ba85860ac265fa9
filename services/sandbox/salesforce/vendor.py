"""The org as a vendor: which part answers which path, and what all calls share. salesforce_bulk.md §1, §2, §9."""

import re
from collections.abc import Sequence

import msgspec

from sandbox.faults import Selection
from sandbox.ledger import Ledger
from sandbox.messages import Answer, Handler, Request, Response, as_json, rendered
from sandbox.routing import Route
from sandbox.salesforce.bulk1.routes import FAULT_KINDS as BULK1_FAULT_KINDS
from sandbox.salesforce.bulk1.routes import bulk1_routes
from sandbox.salesforce.faults import FAULT_KINDS, NearlyUsedUp
from sandbox.salesforce.org import Org
from sandbox.salesforce.settings import Settings
from sandbox.vendor import Vendor

_SLASHES = re.compile("/{2,}")


class Salesforce(Vendor):
    """One org, empty but for its users."""

    name = "salesforce"
    fault_kinds: Sequence[type[Selection]] = (*FAULT_KINDS, *BULK1_FAULT_KINDS)

    def __init__(self, settings: Settings | None = None, *, ledger: Ledger | None = None) -> None:
        super().__init__(ledger)
        self.settings = settings or Settings()
        self.org = Org(self.settings, self.clock, self.ledger, self.faults)
        routes = [*bulk1_routes(self.org)]
        self.routes: Sequence[Route] = [
            Route(route.method, route.path, self._shared(route.answer), route.pool) for route in routes
        ]

    def canonical_path(self, raw_path: str) -> str:
        """One slash for several (sfbulk sends `//services`, §2.1), and none at the end (WSC posts `/job/`, §3.1)."""
        return _SLASHES.sub("/", raw_path).rstrip("/") or "/"

    def unrouted(self, allowed: tuple[str, ...]) -> Response:
        """404 or 405 as the REST APIs answer. §4.3 [docs], spelling [assumed]"""
        if allowed:
            error = {"errorCode": "METHOD_NOT_ALLOWED", "message": "HTTP Method not allowed. Allowed are "}
            error["message"] += ",".join(allowed)
            answer = as_json([error], status=405)
            return msgspec.structs.replace(answer, headers=(("allow", ", ".join(allowed)),))
        return as_json([{"errorCode": "NOT_FOUND", "message": "The requested resource does not exist"}], status=404)

    def expire_tokens(self) -> int:
        return self.org.sessions.expire_all()

    def catch_up(self) -> None:
        self.org.catch_up()

    def state(self) -> dict[str, object]:
        records = {table.kind.name: len(table) for table in self.org.tables.values()}
        return {"records": records, "jobs": len(self.org.jobs), "sessions": len(self.org.sessions)}

    def reset(self) -> None:
        self.org.reset()

    def _shared(self, answer: Handler) -> Handler:
        """What is due is done before every call, and after it too: a job that takes no time is then over.

        Each API counts its calls itself, because each has an answer of its own for one too many; `Sforce-Limit-Info`
        then stands on every answer. §3.1 [docs]
        """

        def shared(request: Request) -> Answer:
            self.org.catch_up()
            for fault in self.faults.acting((NearlyUsedUp,), request.method, request.path):
                self._use_up(fault)
            answered = answer(request)
            self.org.catch_up()
            if not isinstance(answered, Response):
                render = answered.render
                return msgspec.structs.replace(answered, render=lambda items: self._with_usage(render(items)))
            return self._with_usage(rendered(answered))

        return shared

    def _use_up(self, fault: NearlyUsedUp) -> None:
        if fault.api_requests_left is not None:
            self.org.limits.api_requests.leave(fault.api_requests_left)
        if fault.batches_left is not None:
            self.org.limits.batches.leave(fault.batches_left)

    def _with_usage(self, response: Response) -> Response:
        return msgspec.structs.replace(response, headers=(*response.headers, self.org.limits.info()))
