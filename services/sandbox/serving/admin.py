"""The sandbox's own endpoints, the same for every vendor: health, faults, ledger, clock, state, reset.

An invalid request gets a 400 that says what was expected and what was received.
"""

from collections.abc import Sequence
from functools import reduce
from operator import or_
from typing import Annotated, Any, get_args

import msgspec

from sandbox.faults.fault import ExpireTokens, Fault
from sandbox.http.messages import UNREADABLE, Request, Response, as_json, as_json_lines, first_values
from sandbox.http.routing import Match, Route
from sandbox.ledger.ledger import LedgerFilter
from sandbox.vendor import Vendor

ADMIN = "/_sandbox/"
_SHOWN_BYTES = 200


class Advance(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Body of ``POST /_sandbox/clock``: the seconds to move the clock forward."""

    advance_s: Annotated[float, msgspec.Meta(ge=0)]


class _Query(LedgerFilter, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A ledger filter as a query string. An unknown field is an error: ignoring it would mean no filter at all."""


def admin_routes(vendor: Vendor) -> list[Route]:
    admin = Admin(vendor)
    return [
        Route("GET", "/_sandbox/health", admin.health),
        Route("GET", "/_sandbox/faults", admin.list_faults),
        Route("POST", "/_sandbox/faults", admin.add_fault),
        Route("DELETE", "/_sandbox/faults", admin.clear_faults),
        Route("GET", "/_sandbox/ledger", admin.list_entries),
        Route("GET", "/_sandbox/ledger/summary", admin.summarise),
        Route("POST", "/_sandbox/clock", admin.advance_clock),
        Route("POST", "/_sandbox/reset", admin.reset),
        Route("GET", "/_sandbox/state", admin.show_state),
    ]


def no_admin_route(match: Match, request: Request, routes: Sequence[Route]) -> Response:
    known = ", ".join(route.label for route in routes if route.path.startswith(ADMIN))
    return _refusal(405 if match.allowed else 404, f"one of {known}", f"{request.method} {request.path}")


class Admin:
    """Handlers for one vendor's sandbox."""

    def __init__(self, vendor: Vendor) -> None:
        self._vendor = vendor
        self._faults = vendor.faults
        kinds = (*get_args(Fault), *vendor.fault_kinds)
        self._kinds = ", ".join(str(kind.__struct_config__.tag) for kind in kinds)
        self._decode_fault = msgspec.json.Decoder(_any_of(kinds)).decode

    def health(self, _: Request) -> Response:
        return as_json({"sandbox": self._vendor.name, "status": "ok", "now": self._vendor.clock.now()})

    def list_faults(self, _: Request) -> Response:
        return as_json(self._faults.standing())

    def add_fault(self, request: Request) -> Response:
        try:
            fault = self._decode_fault(request.body)
        except UNREADABLE as error:
            expected = f'a fault like {{"kind": "status", "status": 503, "times": 3}}; kinds: {self._kinds}'
            return _refusal(400, expected, _received(request), error)
        if isinstance(fault, ExpireTokens):
            return as_json({"expired": self._vendor.expire_tokens()})
        return as_json(self._faults.add(fault), status=201)

    def clear_faults(self, _: Request) -> Response:
        self._faults.clear()
        return Response(status=204)

    def list_entries(self, request: Request) -> Response:
        given = first_values(request.query)
        try:
            wanted = msgspec.convert(given, _Query, strict=False)
        except msgspec.ValidationError as error:
            expected = f"a query of {', '.join(LedgerFilter.__struct_fields__)}"
            return _refusal(400, expected, request.query_string.decode("latin-1"), error)
        return as_json_lines(self._vendor.ledger.entries(wanted))

    def summarise(self, request: Request) -> Response:
        repeats = request.argument("repeats") or "true"
        if repeats not in ("true", "false"):
            return _refusal(400, "repeats=true or repeats=false", repeats)
        return as_json(self._vendor.ledger.summary(repeats=repeats == "true"))

    def advance_clock(self, request: Request) -> Response:
        try:
            advance = msgspec.json.decode(request.body, type=Advance)
        except UNREADABLE as error:
            return _refusal(400, '{"advance_s": seconds}, 0 or more', _received(request), error)
        self._vendor.clock.advance(advance.advance_s)
        return as_json({"now": self._vendor.clock.now(), "offset_s": self._vendor.clock.offset_s})

    def show_state(self, _: Request) -> Response:
        return as_json(self._vendor.state())

    def reset(self, _: Request) -> Response:
        self._faults.clear()
        self._vendor.clock.reset()
        self._vendor.ledger.reset()
        self._vendor.reset()
        return Response(status=204)


def _any_of(kinds: Sequence[type[Any]]) -> Any:
    """Return the union of ``kinds``, which msgspec tells apart by their tags."""
    return reduce(or_, kinds)


def _received(request: Request) -> str:
    return request.body[:_SHOWN_BYTES].decode("utf-8", "replace") or "an empty body"


def _refusal(status: int, expected: str, came: str, reason: Exception | str = "") -> Response:
    body = {"error": f"expected {expected}; came {came}" + (f" ({reason})" if reason else "")}
    return as_json(body, status=status)
