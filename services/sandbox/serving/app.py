"""ASGI application around every vendor: read a request, apply faults, ask the vendor, send the answer.

    pool limit ─► faults before ─► vendor (at once, atomic) ─► faults on results ─► faults after ─► send

Paths under ``/_sandbox/`` are the sandbox's own: no fault, limit or count applies to them.
"""

from email.utils import formatdate

import msgspec

from sandbox.faults.injection import answer_with_faults
from sandbox.http.asgi import Message, Receive, Send, read, send_response
from sandbox.http.messages import Answer, Handler, Request, Response, rendered
from sandbox.http.routing import Match, Pool, Router
from sandbox.serving.admin import ADMIN, admin_routes, no_admin_route
from sandbox.vendor import Vendor


class App:
    """ASGI application of one vendor. It keeps its state when it is stopped and served again."""

    def __init__(self, vendor: Vendor) -> None:
        self.vendor = vendor
        self.faults = vendor.faults
        self._is_closing = False
        self._routes = [*admin_routes(vendor), *vendor.routes]
        self._router = Router(self._routes)
        self._all_requests = Pool("all")
        self._requests = 0

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        raw_path: str = scope["raw_path"].decode("latin-1")
        is_admin = raw_path.startswith(ADMIN)
        path = raw_path if is_admin else self.vendor.canonical_path(raw_path)
        match = self._router.find(scope["method"], path)
        if is_admin:
            await self._administer(match, scope, receive, send)
            return
        with self._all_requests.enter(self.vendor.ledger):
            pool = self.vendor.pool_of(match.route, scope["headers"])
            if pool is None:
                await self._serve(match, None, scope, receive, send)
                return
            with pool.enter(self.vendor.ledger) as admitted:
                await self._serve(match, None if admitted else pool.refusal, scope, receive, send)

    async def hold(self, seconds: float) -> None:
        """Wait by the sandbox's clock, even after the client has gone; ``close`` ends the wait."""
        clock = self.vendor.clock
        until = clock.now() + seconds
        while not self._is_closing and (left_s := until - clock.now()) > 0:
            await clock.wait(left_s)

    def open(self) -> None:
        self._is_closing = False

    def close(self) -> None:
        """End every wait, so that no request outlives the server."""
        self._is_closing = True
        self.vendor.clock.wake()

    async def _serve(self, match: Match, early: Response | None, scope: Message, receive: Receive, send: Send) -> None:
        self._requests += 1
        request = await read(
            scope, match.params, receive, number=self._requests, max_body_bytes=self.vendor.max_body_bytes
        )
        if request is None:
            return
        response = early or await answer_with_faults(self.faults, request, self._handler(match), self.hold)
        path = match.route.path if match.route else "(no such route)"
        self.vendor.ledger.count_request(f"{request.method} {path} {_outcome(response)}")
        await send_response(self._dated(response), scope, receive, send, self.hold)

    def _dated(self, response: Response) -> Response:
        """Add the ``Date`` that a server with a clock must send. RFC 9110 §6.6.1"""
        if response.date_ahead_s is None:
            return response
        date = formatdate(self.vendor.clock.now() + response.date_ahead_s, usegmt=True)
        return msgspec.structs.replace(response, headers=(*response.headers, ("date", date)))

    def _handler(self, match: Match) -> Handler:
        answer = match.route.answer if match.route else lambda _: self.vendor.unrouted(match.allowed)

        def answer_in_time(request: Request) -> Answer:
            self.vendor.catch_up()
            return answer(request)

        return answer_in_time

    async def _administer(self, match: Match, scope: Message, receive: Receive, send: Send) -> None:
        request = await read(scope, match.params, receive, number=0)
        if request is not None:
            self.vendor.catch_up()
            route = match.route
            answer = route.answer(request) if route else no_admin_route(match, request, self._routes)
            await send_response(rendered(answer), scope, receive, send, self.hold)


def _outcome(response: Response) -> str:
    match response.delivery:
        case "whole":
            return str(response.status)
        case "dropped" | "garbage":
            return response.delivery
        case _:
            return f"{response.status} cut"
