"""Pads, in which notes stand: ``GET todo/notes/{id}``, and a pad's text at the notes host. bloom_growth.md §15.

Facts of this file are [client:other], from one public client, unless marked otherwise.
"""

from sandbox.bloom_growth.call import Call
from sandbox.bloom_growth.rows import Noted
from sandbox.bloom_growth.tenant import Tenant
from sandbox.clock import Clock
from sandbox.http.messages import Request, Response

_TEXT = "text/plain; charset=utf-8"
_MAX_DIGITS = 18


class Pads:
    """Handlers of pads. A pad goes with its object, and when other notes make another pad. [assumed]"""

    def __init__(self, tenant: Tenant, clock: Clock) -> None:
        self._tenant = tenant
        self._clock = clock

    def of_todo(self, call: Call) -> dict[str, str]:
        """Return where a todo's pad is."""
        key, todos = call.number(), self._tenant.todos
        return {"URL": self._tenant.pad_url(call, todos, key, self._tenant.find(todos, key, call.caller))}

    def export(self, request: Request) -> Response:
        """Return a pad's text, without login. It lags its write: until then it is empty. An unknown pad is a 404.
        [assumed: both answers]"""
        row = self._find(request.params["pad"])
        if row is None:
            return Response(status=404, body=b"There is no such pad.", content_type=_TEXT)
        is_there = self._clock.now() >= row.noted_at + self._tenant.settings.pad_lag_s
        return Response(status=200, body=row.notes.encode() if is_there else b"", content_type=_TEXT)

    def _find(self, pad: str) -> Noted | None:
        kind, _, rest = pad.partition("-")
        key, _, number = rest.partition("-")
        row = self.noted(kind, key)
        return row if row is not None and str(row.pad) == number else None

    def noted(self, kind: str, key: str) -> Noted | None:
        """Return an issue, todo or headline by the id's text."""
        records = self._tenant.noted.get(kind)
        is_number = key.isascii() and key.isdigit() and len(key) <= _MAX_DIGITS
        return records.get(int(key)) if records is not None and is_number else None
