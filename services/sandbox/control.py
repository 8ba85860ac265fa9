"""A client for a running sandbox's own endpoints, for tests, the chaos harness and the demo."""

from collections.abc import Mapping
from typing import Any, Self, TypeVar

import httpx
import msgspec

from sandbox.faults.board import ActiveFault
from sandbox.faults.fault import ExpireTokens, Selection, Standing
from sandbox.ledger.ledger import LedgerEntry, LedgerFilter, LedgerSummary
from sandbox.otlp.span import Span

T = TypeVar("T")
Kind = TypeVar("Kind", bound=Selection)
_TIMEOUT_S = 30.0


class SandboxControl:
    """Client that switches faults, moves the clock, and reads the ledger of one running sandbox.

    Every call raises ``httpx.HTTPStatusError`` when the sandbox refuses it, with the sandbox's reason in the message.
    """

    def __init__(self, url: str) -> None:
        # A sandbox speaks plain HTTP; loading the CA certificates would take longer than the calls.
        self._http = httpx.AsyncClient(base_url=url, timeout=_TIMEOUT_S, trust_env=False, verify=False)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._http.aclose()

    async def add_fault(self, fault: Kind) -> ActiveFault[Kind]:
        """Add a fault after those that are already active."""
        answer: Any = ActiveFault[type(fault)]  # type: ignore[misc]
        return await self._call("POST", "/_sandbox/faults", answer, body=fault)

    async def faults(self, kinds: Any = Standing) -> list[ActiveFault[Any]]:
        """Return the faults that may still act. Add a vendor's own kinds to the union ``kinds`` to decode them."""
        answer: Any = list[ActiveFault[kinds]]
        return await self._call("GET", "/_sandbox/faults", answer)

    async def clear_faults(self) -> None:
        await self._send("DELETE", "/_sandbox/faults")

    async def expire_tokens(self) -> int:
        """Expire every token issued so far; return how many were alive."""
        answer = await self._call("POST", "/_sandbox/faults", dict[str, int], body=ExpireTokens())
        return answer["expired"]

    async def ledger(self, wanted: LedgerFilter | None = None) -> list[LedgerEntry]:
        """Return the entries that match, in the order of receipt. Without a filter return all entries in memory."""
        asked = msgspec.to_builtins(wanted or LedgerFilter())
        query = {name: str(value).lower() if isinstance(value, bool) else value for name, value in asked.items()}
        given = {name: value for name, value in query.items() if value is not None}
        content = await self._send("GET", "/_sandbox/ledger", query=given)
        return _entries(content)

    async def summary(self, *, repeats: bool = True) -> LedgerSummary:
        """Return the counts. Without ``repeats`` this is cheap enough to poll while a million entries come in."""
        query = {"repeats": str(repeats).lower()}
        return _summary(await self._send("GET", "/_sandbox/ledger/summary", query=query))

    async def advance(self, seconds: float) -> None:
        """Move the sandbox's clock forward."""
        await self._send("POST", "/_sandbox/clock", body={"advance_s": seconds})

    async def state(self) -> dict[str, object]:
        """Return counts of what the vendor holds, by object."""
        return await self._call("GET", "/_sandbox/state", dict[str, object])

    async def reset(self) -> None:
        """Return the sandbox to its state at the start: no data, no faults, no ledger, real time."""
        await self._send("POST", "/_sandbox/reset")

    async def spans(
        self, *, trace_id: str | None = None, service: str | None = None, name: str | None = None
    ) -> list[Span]:
        """Return the spans that the OTLP receiver got, in the order of receipt."""
        asked = {"trace_id": trace_id, "service": service, "name": name}
        query = {field: value for field, value in asked.items() if value is not None}
        return _spans(await self._send("GET", "/_sandbox/spans", query=query))

    async def clear_spans(self) -> None:
        await self._send("DELETE", "/_sandbox/spans")

    async def _call(self, method: str, path: str, kind: type[T], *, body: object = None) -> T:
        return msgspec.json.decode(await self._send(method, path, body=body), type=kind)

    async def _send(
        self, method: str, path: str, *, body: object = None, query: Mapping[str, str | int] | None = None
    ) -> bytes:
        content = None if body is None else msgspec.json.encode(body)
        response = await self._http.request(method, path, content=content, params=query)
        if response.is_error:
            reason = f"{method} {path}: {response.status_code} {response.text}"
            raise httpx.HTTPStatusError(reason, request=response.request, response=response)
        return response.content


_entries = msgspec.json.Decoder(LedgerEntry).decode_lines
_summary = msgspec.json.Decoder(LedgerSummary).decode
_spans = msgspec.json.Decoder(list[Span]).decode
