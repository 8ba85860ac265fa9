"""Steps that every call under ``/api/v1`` passes.

401 unknown token ─► 429 bucket empty ─► 413 too large ─► endpoint ─► ledger ─► answer ─► faults after the commit
"""

from collections.abc import Callable

from sandbox.bloom_growth.call import Call, Written
from sandbox.bloom_growth.endpoints import BASE, Endpoint, Read, Write
from sandbox.bloom_growth.faults import AnswerAfter, ExpireToken, IgnoreWrite, VanishMeeting
from sandbox.bloom_growth.refusals import UNAUTHORIZED, Refusal, message
from sandbox.bloom_growth.rendering import render
from sandbox.bloom_growth.tenant import Tenant
from sandbox.bloom_growth.tokens import Token, Tokens
from sandbox.clock import Clock
from sandbox.faults.board import FaultBoard
from sandbox.http.messages import Handler, Request, Response
from sandbox.ledger.ledger import Ledger

_CHANGES = frozenset({"CREATED", "CHANGED", "DELETED"})
_NEVER_IGNORED = frozenset({"create", "delete"})
_KEPT_CHARS = 200
"""Longest key or title in the ledger, which may hold more entries than there are objects."""


class Middleware:
    """Maker of the handler of an endpoint, which takes a call through the steps above."""

    def __init__(self, tenant: Tenant, tokens: Tokens, clock: Clock, ledger: Ledger, faults: FaultBoard) -> None:
        self._tenant = tenant
        self._tokens = tokens
        self._clock = clock
        self._ledger = ledger
        self._faults = faults
        retry_after = str(tenant.settings.retry_after_s)
        self._too_many = message(429, "API calls quota exceeded.", ("retry-after", retry_after))

    def handler(self, endpoint: Endpoint) -> Handler:
        act = endpoint.act if isinstance(endpoint, Read) else self._recorded(endpoint)

        def answer(request: Request) -> Response:
            token = self._find_token(request)
            if token is None:
                return UNAUTHORIZED
            if not self._tokens.admits(token):
                return self._too_many
            caller = self._tenant.people.users[token.user_id]
            call = Call(request=request, caller=caller, now=self._clock.now())
            try:
                response = self._act(call, act)
                self._vanish(call)
            except Refusal as refusal:
                response = refusal.response()
            return self._after(request, response)

        return answer

    def _find_token(self, request: Request) -> Token | None:
        if len(self._faults):
            for _ in self._faults.acting((ExpireToken,), request.method, request.path, request.body):
                self._tokens.expire_all()
        return self._tokens.find(request.header("authorization"))

    def _act(self, call: Call, act: Callable[[Call], object]) -> Response:
        if len(call.request.body) > self._tenant.settings.max_body_bytes:
            raise Refusal(413, "The request is larger than the server takes.")
        # Read before the endpoint acts: a refusal must not come after a commit.
        shows_permission = bool(call.request.query_string) and call.flag("includepermission")
        return render(call.request, act(call), self._faults, shows_permission=shows_permission)

    def _recorded(self, endpoint: Write) -> Callable[[Call], object]:
        label = f"{endpoint.method} {BASE}{endpoint.path}"

        def act(call: Call) -> object:
            try:
                self._tenant.storage.is_frozen = self._is_ignored(call.request, endpoint)
                written = endpoint.act(call)
            except Refusal as refusal:
                self._record(call, label, endpoint, "/".join(call.request.params.values()), f"REFUSED {refusal.status}")
                raise
            finally:
                self._tenant.storage.is_frozen = False
            self._record(call, label, endpoint, written.key, written.effect, written)
            return written.body

        return act

    def _is_ignored(self, request: Request, endpoint: Write) -> bool:
        if not len(self._faults) or endpoint.operation in _NEVER_IGNORED:
            return False
        faults = self._faults.acting((IgnoreWrite,), request.method, request.path, request.body)
        return next(faults, None) is not None

    def _record(
        self, call: Call, label: str, endpoint: Write, key: str, effect: str, written: Written | None = None
    ) -> None:
        self._ledger.count_entries(1)
        self._ledger.record(
            at=call.now,
            request=call.request.number,
            endpoint=label,
            family=endpoint.object,
            objects=("",),
            keys=[key[:_KEPT_CHARS]],
            identifiers=[written.title[:_KEPT_CHARS] if written and written.title else None],
            operations=(endpoint.operation,),
            effects=(effect,),
            changed=(effect in _CHANGES,),
        )

    def _vanish(self, call: Call) -> None:
        """Delete the call's meeting for a fault. The ledger has no entry of it: no client asked."""
        request = call.request
        if not len(self._faults) or "mid" not in request.params:
            return
        for _ in self._faults.acting((VanishMeeting,), request.method, request.path, request.body):
            self._tenant.delete_meeting(call.number("mid"))

    def _after(self, request: Request, response: Response) -> Response:
        """Return the answer of a fault in place of the vendor's, after the vendor has done its work."""
        if len(self._faults):
            for fault in self._faults.acting((AnswerAfter,), request.method, request.path, request.body):
                content_type = fault.content_type if fault.body else None
                return Response(status=fault.status, body=fault.body.encode(), content_type=content_type)
        return response
