"""Calls to the API: one request each, and the judgement of its answer, by a probe where the status does not tell."""

import asyncio
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from math import inf

import httpx
import msgspec

from sluice.destinations.bloom_growth.answers import Record, read_record
from sluice.destinations.bloom_growth.assumptions import MAX_LISTING_BYTES
from sluice.destinations.bloom_growth.errors import (
    Effect,
    Fault,
    Hold,
    describe_answer,
    error_from,
    fault_of,
    hold_of,
    needs_probe,
)
from sluice.destinations.bloom_growth.row_pieces import RowPieces
from sluice.destinations.contract import Ambiguous, BatchError, PreSendCheck, Refused, Unavailable
from sluice.destinations.http import describe_request, send, stream
from sluice.destinations.http_attempts import PRE_SEND_CHECK
from sluice.destinations.http_client import VendorClient
from sluice.destinations.oauth import RESEND_CHECK
from sluice.destinations.vendor_answers import VendorAnswers

Permit = Callable[[], AbstractAsyncContextManager[PreSendCheck]]
"""Waits until one call more may be made, as ``Calls.permit`` does."""
_HEADERS = {"content-type": "application/json"}
"""On all calls. §1"""
PROBE = "users/mine"
"""§15"""


class Api:
    """The API, called with ``client``."""

    def __init__(self, client: VendorClient, answers: VendorAnswers) -> None:
        self._client = client
        self._answers = answers
        self._probing = asyncio.Lock()
        self._took_calls_at_s = -inf
        """When the last probe was sent that the vendor has answered well."""
        self._me: int | None = None

    async def create(self, path: str, body: bytes, permit: Permit) -> Record:
        """Make a record; its ``new_id`` is set. Raises ``BatchError``."""
        response = await self._call("POST", path, body, "create", permit)
        record = read_record(response)
        if record is not None and record.new_id is not None:
            return record
        # It is not sent again as it is, or it would be answered like this for ever. §10
        refused = Refused("no-id", f"{describe_answer(response)}: the answer has no id", response.status_code)
        raise Ambiguous(str(refused), refusal=refused)

    async def change(self, method: str, path: str, permit: Permit, body: bytes = b"") -> httpx.Response:
        """Make a call with an effect that a repeat leaves as it is. Raises ``BatchError``."""
        return await self._call(method, path, body, "repeatable", permit)

    async def read(self, path: str, permit: Permit) -> Record:
        """Read a record. Raises ``BatchError``, never ``Ambiguous``."""
        response = await self._call("GET", path, b"", "read", permit)
        record = read_record(response)
        if record is None:
            raise Refused("unreadable", f"{describe_answer(response)}: expected an object", response.status_code)
        return record

    async def list(self, path: str, permit: Permit, take: Callable[[Record], None]) -> None:
        """Give each row of the list at ``path`` to ``take``, as it comes. Raises as :meth:`read` does."""
        for is_last in (False, True):
            try:
                await self._list(path, permit, take)
            except _Page as page:
                await self._probe_for(page.fault, permit)
                if is_last:
                    raise page.fault from None
            else:
                return

    async def _list(self, path: str, permit: Permit, take: Callable[[Record], None]) -> None:
        async with permit() as check:
            request = self._request("GET", path, b"", check)
            async with stream(self._client, request, MAX_LISTING_BYTES) as (response, pieces):
                if not response.is_success:
                    if (error := error_from(response, "read", is_own=True)) is not None:
                        raise error
                    raise _Page(fault_of(response, "read", is_own=True), is_final=False)
                rows = RowPieces(take)
                try:
                    async for piece in pieces:
                        rows.add(piece)
                    rows.end()
                except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error_:
                    message = f"{describe_request(request)}: expected an array of objects: {error_}"
                    raise _Page(Refused("no-json", message, response.status_code), is_final=False) from error_

    async def write_nothing(self, permit: Permit) -> httpx.Response:
        """Send a write to an issue that cannot exist, and return its answer: ids are above 0. §1 [test:live]"""
        async with permit() as check:
            return await send(self._client, self._request("PUT", "issues/0", b"{}", check))

    async def me(self, permit: Permit) -> int:
        """Return the id of the user in whose name we call. Raises ``BatchError``."""
        if self._me is None:
            self._me = (await self.probe(permit)).id
        return self._me or 0

    async def probe(self, permit: Permit) -> Record:
        """Return the user in whose name we call. Raises what holds the destination when the vendor does not say. §15"""
        return await self._probe(permit, lambda hold: hold)

    async def _probe(self, permit: Permit, meaning: Callable[[Hold], BatchError]) -> Record:
        async with permit() as check:
            try:
                response = await send(self._client, self._request("GET", PROBE, b"", check))
            except Unavailable as error:
                raise meaning(error) from error
            if (hold := hold_of(response)) is not None:
                raise meaning(hold)
        return read_record(response) or Record()

    async def _probe_for(self, fault: Fault, permit: Permit) -> None:
        """Probe after an answer that would be ``fault``. Raises what holds the destination, if something does. §15"""
        came_at_s = asyncio.get_running_loop().time()
        # One for all answers that came before it was sent: a page to one is a page to many. While the vendor is away
        # each asks for itself, as delivery lets it.
        async with self._probing:
            if self._took_calls_at_s > came_at_s:
                return
            asked_at_s = asyncio.get_running_loop().time()
            await self._probe(permit, lambda hold: _doubtful(hold, fault))
            self._took_calls_at_s = asked_at_s

    async def _call(self, method: str, path: str, body: bytes, effect: Effect, permit: Permit) -> httpx.Response:
        for is_last in (effect == "create", True):
            try:
                return await self._send(method, path, body, effect, permit)
            except _Page as page:
                await self._probe_for(page.fault, permit)
                # The vendor may have come back meanwhile: only what stays a page is a wrong path.
                if is_last or page.is_final:
                    raise page.fault from None
        raise AssertionError

    async def _send(self, method: str, path: str, body: bytes, effect: Effect, permit: Permit) -> httpx.Response:
        async with permit() as check:
            request = self._request(method, path, body, check)
            if effect == "create":
                request.extensions[RESEND_CHECK] = self._answers.are_own
            response = await send(self._client, request)
            is_own = response.is_success or self._answers.are_own(response)
            if (error := error_from(response, effect, is_own=is_own)) is not None:
                raise error
            if needs_probe(response, effect):
                raise _Page(fault_of(response, effect, is_own=is_own), is_final=is_own and not response.is_success)
        return response

    def _request(self, method: str, path: str, body: bytes, check: PreSendCheck) -> httpx.Request:
        extensions = {PRE_SEND_CHECK: check}
        return self._client.build_request(method, path, content=body, headers=_HEADERS, extensions=extensions)


class _Page(BatchError):
    """An answer of which only a probe tells whose fault it is: the item's, then ``fault`` is its fate, or nobody's."""

    def __init__(self, fault: Fault, *, is_final: bool) -> None:
        super().__init__(str(fault))
        self.fault = fault
        self.may_be_at_work = fault.may_be_at_work
        self.is_final = is_final
        """False where the same call may be answered otherwise in a moment."""


def _doubtful(hold: Hold, fault: Fault) -> BatchError:
    """Return what ``hold`` means for a call that may have been applied behind the page that answered it."""
    if isinstance(fault, Ambiguous):
        reason = hold.reason if isinstance(hold, Unavailable) else "misconfigured"
        return Ambiguous(f"{fault}; {hold}", reason=reason)
    hold.may_be_at_work = fault.may_be_at_work
    return hold
