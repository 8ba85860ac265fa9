"""The service: its routes, and the handling that all endpoints share. liquid_decisions.md §1."""

from collections.abc import Callable, Sequence

from sandbox.http.messages import Answer, Handler, Request, Response
from sandbox.http.routing import Route
from sandbox.ledger.ledger import Ledger
from sandbox.liquid_decisions.community import Community
from sandbox.liquid_decisions.export_files import FILES, ExportFiles
from sandbox.liquid_decisions.exports import Exports
from sandbox.liquid_decisions.faults import FAULT_KINDS
from sandbox.liquid_decisions.imports import Imports
from sandbox.liquid_decisions.items_endpoint import items_route
from sandbox.liquid_decisions.jobs import Jobs
from sandbox.liquid_decisions.jobs_endpoint import jobs_routes
from sandbox.liquid_decisions.oauth import OAuth
from sandbox.liquid_decisions.outbox import OUTBOX, Outbox
from sandbox.liquid_decisions.refusal import Refusal
from sandbox.liquid_decisions.settings import Settings
from sandbox.liquid_decisions.sql_query import sql_query
from sandbox.liquid_decisions.tokens import Session, Tokens
from sandbox.liquid_decisions.updates import updates
from sandbox.liquid_decisions.upsert import Upsert
from sandbox.vendor import Vendor

SessionHandler = Callable[[Request, Session], Answer]
CommunityHandler = Callable[[Request, Community], Answer]

_BASE = "/ls/api"


class LiquidDecisions(Vendor):
    """Service with all its communities, empty."""

    name = "liquid-decisions"
    fault_kinds = FAULT_KINDS

    def __init__(self, settings: Settings | None = None, *, ledger: Ledger | None = None) -> None:
        super().__init__(ledger)
        self.settings = settings or Settings()
        self._tokens = Tokens(self.clock, self.settings.token_lifetime_s)
        self._outbox = Outbox()
        self._files = ExportFiles(self.settings, self.clock)
        self.jobs = Jobs(self.settings, self.clock, self.faults, self._outbox)
        self.communities = self._make_communities()
        self.routes: Sequence[Route] = self._make_routes()

    def catch_up(self) -> None:
        self.jobs.catch_up(self.clock.now())
        self._files.drop_expired()

    def unrouted(self, allowed: tuple[str, ...]) -> Response:
        """Return 404 for an unknown path, 405 for another method of a known one. [assumed, RFC 9110]"""
        if not allowed:
            return Refusal("no such call", error="not_found", status=404).response()
        return Refusal(f"expected {' or '.join(allowed)}", error="method_not_allowed", status=405).response()

    def expire_tokens(self) -> int:
        return self._tokens.expire_all()

    def state(self) -> dict[str, object]:
        items = {
            community.name: {name: len(table) for name, table in community.database.tables.items()}
            for community in self.communities.values()
        }
        return {
            "items": items,
            "jobs": self.jobs.by_status(),
            "mails": len(self._outbox),
            "export_bytes": self._files.held_bytes,
            "tokens": len(self._tokens),
        }

    def reset(self) -> None:
        for community in self.communities.values():
            community.database.connection.close()
        self.communities = self._make_communities()
        self._tokens.clear()
        self.jobs.clear()
        self._outbox.clear()
        self._files.clear()

    def _make_communities(self) -> dict[str, Community]:
        names = self.settings.communities
        return {name: Community(name, self.settings, self.clock, self.ledger) for name in names}

    def _make_routes(self) -> list[Route]:
        oauth = OAuth(self.settings, self._tokens, self.faults)
        imports = Imports(self.jobs, self.faults)
        exports = Exports(self.jobs, self._files)
        upserts = Upsert(self.ledger, self.faults)
        calls: list[tuple[str, str, Handler]] = [
            ("POST", f"{_BASE}/oauth2/token", oauth.token),
            ("GET", f"{_BASE}/oauth2/validate", self._with_session(oauth.validate)),
            ("POST", f"{_BASE}/oauth2/tokenInfo", self._with_session(oauth.token_info)),
            ("POST", f"{_BASE}/oauth2/setCommunity", self._with_session(oauth.set_community)),
            ("POST", f"{_BASE}/oauth2/setProperties", self._with_session(oauth.set_properties)),
            ("POST", f"{_BASE}/batch/import", self._with_community(imports.submit)),
            ("POST", f"{_BASE}/batch/export", self._with_community(exports.submit)),
            ("POST", f"{_BASE}/batch/status", self._with_community(self.jobs.status)),
            ("POST", f"{_BASE}/batch/cancel", self._with_community(self.jobs.cancel)),
            ("POST", f"{_BASE}/items/upsert", self._with_community(upserts.upsert)),
            ("POST", f"{_BASE}/items/updates", self._with_community(updates)),
            ("POST", f"{_BASE}/data/sqlQuery", self._with_community(sql_query)),
            ("GET", f"{FILES}/{{file}}", self._files.download),
        ]
        routes = [Route(method, path, _with_refusals(answer)) for method, path, answer in calls]
        own = [*jobs_routes(self.jobs), items_route(self.ledger, lambda: self.communities)]
        return [*routes, Route("GET", OUTBOX, self._outbox.list_mails), *own]

    def _with_session(self, answer: SessionHandler) -> Handler:
        return lambda request: answer(request, self._tokens.session(request))

    def _with_community(self, answer: CommunityHandler) -> Handler:
        """Refuse a token without a community by 400 until ``setCommunity`` is called. §2 [docs], [assumed]"""

        def answered(request: Request) -> Answer:
            session = self._tokens.session(request)
            if session.community is None:
                raise Refusal("the token has no community; name one in its scope, or call setCommunity")
            return answer(request, self.communities[session.community])

        return answered


def _with_refusals(answer: Handler) -> Handler:
    def answered(request: Request) -> Answer:
        try:
            return answer(request)
        except Refusal as refusal:
            return refusal.response()
        except MemoryError:
            return Refusal("the sandbox's memory is full", error="unavailable", status=503).response()

    return answered
