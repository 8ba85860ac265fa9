"""The tenant: its routes, and its implementation of ``Vendor``. bloom_growth.md §1, §13."""

from collections.abc import Iterable, Sequence

from sandbox.bloom_growth.audit import Audit
from sandbox.bloom_growth.endpoints import BASE, make_endpoints
from sandbox.bloom_growth.faults import (
    AnswerAfter,
    ExpireToken,
    IgnoreWrite,
    NullDetailsUrl,
    NullTarget,
    VanishMeeting,
)
from sandbox.bloom_growth.middleware import Middleware
from sandbox.bloom_growth.pads import Pads
from sandbox.bloom_growth.refusals import WEB_APPLICATION, message
from sandbox.bloom_growth.seed import seed_tenant
from sandbox.bloom_growth.settings import Settings
from sandbox.bloom_growth.tenant import Tenant
from sandbox.bloom_growth.token_endpoint import TokenEndpoint
from sandbox.bloom_growth.tokens import Tokens
from sandbox.http.messages import Response
from sandbox.http.routing import Pool, Route
from sandbox.ledger.ledger import Ledger
from sandbox.vendor import Vendor


class BloomGrowth(Vendor):
    """One tenant of Bloom Growth with an organisation in it."""

    name = "bloom-growth"
    fault_kinds = (AnswerAfter, NullDetailsUrl, NullTarget, IgnoreWrite, VanishMeeting, ExpireToken)

    def __init__(self, settings: Settings | None = None, *, ledger: Ledger | None = None) -> None:
        super().__init__(ledger)
        self.settings = settings or Settings()
        self._tenant = Tenant(self.settings)
        self._tokens = Tokens(self.clock, self.settings)
        self._pads = Pads(self._tenant, self.clock)
        self.endpoints = make_endpoints(self._tenant, self._pads)
        self.routes: Sequence[Route] = self._make_routes()
        self.reset()

    def canonical_path(self, raw_path: str) -> str:
        """Ignore case: ``L10`` and ``l10`` occur even for one resource. §1 [client], [docs:ref]"""
        return raw_path.lower().rstrip("/")

    def pool_of(self, _route: Route | None, headers: Iterable[tuple[bytes, bytes]], /) -> Pool | None:
        """Return the token's pool, which counts its requests in flight. §13.6 [assumed]"""
        for name, value in headers:
            if name == b"authorization":
                token = self._tokens.find(value.decode("latin-1"))
                return token.pool if token else None
        return None

    def unrouted(self, allowed: tuple[str, ...]) -> Response:
        """Answer a wrong path with the web application's page [client:other], a wrong method with 405. §10, §14"""
        if not allowed:
            return WEB_APPLICATION
        text = "The requested resource does not support this http method."
        return message(405, text, ("allow", ", ".join(allowed)))

    def expire_tokens(self) -> int:
        return self._tokens.expire_all()

    def state(self) -> dict[str, object]:
        return {
            "users": len(self._tenant.people.users),
            "meetings": len(self._tenant.meetings),
            "issues": len(self._tenant.issues),
            "todos": len(self._tenant.todos),
            "goals": len(self._tenant.goals),
            "headlines": len(self._tenant.headlines),
            "measurables": len(self._tenant.measurables),
            "tokens": len(self._tokens),
            "stored_bytes": self._tenant.storage.used_bytes,
        }

    def reset(self) -> None:
        self._tokens.clear()
        self._tenant.clear()
        seed_tenant(self._tenant, self.clock.now())
        me = self._tenant.people.by_email(self.settings.user_name)
        if me is not None:
            self._tokens.issue(me.id, name=self.settings.api_key)

    def _make_routes(self) -> list[Route]:
        middleware = Middleware(self._tenant, self._tokens, self.clock, self.ledger, self.faults)
        audit = Audit(self._tenant, self._pads, self.ledger)
        grants = TokenEndpoint(self.settings, self._tokens, self._tenant.people, self.clock)
        return [
            Route("POST", "/token", grants.grant),
            *(
                Route(endpoint.method, (BASE + endpoint.path).lower(), middleware.handler(endpoint))
                for endpoint in self.endpoints
            ),
            Route("GET", "/p/{pad}/export/txt", self._pads.export),
            Route("GET", "/_sandbox/created", audit.created),
            Route("GET", "/_sandbox/notes/{kind}/{id}", audit.notes),
        ]
