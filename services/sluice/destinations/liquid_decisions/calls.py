"""Calls of one community: each is sent once, and raises what its answer means.

A read may be asked again, so what is lost of it is an outage. Of a write that must not be repeated, an answer that may
be a proxy's proves nothing.
"""

from collections.abc import Mapping
from datetime import datetime
from urllib.parse import urlencode

import httpx
import msgspec

from sluice.destinations.contract import (
    Ambiguous,
    BatchError,
    Misconfigured,
    OnRequest,
    PreSendCheck,
    Refused,
    Unavailable,
    http_status,
    unproven,
)
from sluice.destinations.http import describe_request, open_client, send
from sluice.destinations.http_attempts import PRE_SEND_CHECK
from sluice.destinations.liquid_decisions.assumed import BASE, MAX_IMPORTS, MAX_READS, MAX_UPSERTS
from sluice.destinations.liquid_decisions.errors import error_from, is_own_error, is_own_success, read_error_from
from sluice.destinations.liquid_decisions.login import Login
from sluice.destinations.liquid_decisions.settings import LiquidDecisionsSettings
from sluice.destinations.oauth import RESEND_CHECK
from sluice.destinations.vendor_answers import VendorAnswers


class User(msgspec.Struct, rename="camel"):
    """The user and community of a token. §2 [client:web]"""

    user_id: str = ""
    community: str | None = None


class Calls:
    """Client of one community. ``upload`` is for files, whose answer may take longer."""

    def __init__(
        self,
        settings: LiquidDecisionsSettings,
        *,
        transport: httpx.AsyncBaseTransport | None = None,
        on_request: OnRequest | None = None,
    ) -> None:
        """``transport`` replaces the network in tests."""
        base_url = settings.url.rstrip("/").removesuffix(BASE) + BASE
        self._login = Login(base_url, settings)
        self._answers = VendorAnswers(settings.own_answer_header, is_own_error, is_own_success)
        self._clients = [
            open_client(
                msgspec.structs.replace(settings, timeout_s=timeout_s),
                base_url=base_url,
                max_connections=connections,
                auth=self._login,
                transport=transport,
                on_request=on_request,
                on_response=self._answers.note,
            )
            for timeout_s, connections in (
                (settings.timeout_s, MAX_UPSERTS + MAX_READS),
                (settings.import_timeout_s, MAX_IMPORTS + MAX_UPSERTS),
            )
        ]
        self._in_community = 0
        """The last token that was seen to have a community."""

    @property
    def vendor_at(self) -> datetime | None:
        """The vendor's own clock in its newest answer."""
        return self._answers.vendor_at

    async def write(self, body: bytes, *, may_be_repeated: bool, check: PreSendCheck | None) -> httpx.Response:
        """Upsert ``body`` and return the success that answers it. Raises ``BatchError``."""
        headers = {"content-type": "application/json"}
        return await self._write(0, "items/upsert", body, headers, may_be_repeated=may_be_repeated, check=check)

    async def upload(self, body: bytes, boundary: str, check: PreSendCheck) -> httpx.Response:
        """Submit an import and return the success that answers it. Raises ``BatchError``."""
        headers = {"content-type": f"multipart/form-data; boundary={boundary}"}
        return await self._write(1, "batch/import", body, headers, may_be_repeated=False, check=check)

    async def read(self, path: str, form: Mapping[str, str]) -> httpx.Response:
        """Return the success that answers a call without effect.

        Raises ``Unavailable``, ``Misconfigured``; ``Refused`` for an answer 400: something in ``form`` is wrong.
        """
        client = self._clients[0]
        headers = {"content-type": "application/x-www-form-urlencoded"}
        request = client.build_request("POST", path, content=urlencode(form).encode(), headers=headers)
        try:
            response = await send(client, request)
        except Ambiguous as error:
            raise read_error_from(error) from error
        if response.is_success and self._answers.are_own(response):
            return response
        raise await self._meant(self._read_error(response))

    async def user(self) -> User:
        """Return whose token we have. Raises ``Unavailable``, ``Misconfigured``."""
        response = await self._tell_user()
        try:
            return _decode_user(response.content)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise Unavailable("no-answer", f"{describe_request(response.request)} answered no user: {error}") from error

    async def aclose(self) -> None:
        """Close the connections."""
        for client in self._clients:
            await client.aclose()

    async def _write(
        self,
        client_number: int,
        path: str,
        body: bytes,
        headers: Mapping[str, str],
        *,
        may_be_repeated: bool,
        check: PreSendCheck | None,
    ) -> httpx.Response:
        client = self._clients[client_number]
        extensions: dict[str, object] = {
            RESEND_CHECK: lambda response: may_be_repeated or self._answers.are_own(response)
        }
        if check is not None:
            extensions[PRE_SEND_CHECK] = check
        request = client.build_request("POST", path, content=body, headers=headers, extensions=extensions)
        response = await send(client, request)
        if response.is_success and self._answers.are_own(response):
            return response
        error = error_from(response)
        if not self._answers.are_own(response):
            raise unproven(error, may_be_repeated=may_be_repeated)
        raise await self._meant(error)

    async def _meant(self, error: Exception) -> Exception:
        """Return what a refusal means: a token without a community is refused likewise. §15, X14"""
        if not isinstance(error, Refused) or error.http_status != 400 or self._in_community == self._login.issued:
            return error
        issued = self._login.issued
        try:
            user = await self.user()
        except BatchError as unknown:
            return Unavailable("no-answer", f"{error}; whether the token has a community is not known: {unknown}")
        if not user.community:
            return Misconfigured(f"the token has no community: {error}; set `community_by: setCommunity`", 400)
        self._in_community = issued
        return error

    async def _tell_user(self) -> httpx.Response:
        client = self._clients[0]
        try:
            response = await send(client, client.build_request("POST", "oauth2/tokenInfo"))
        except Ambiguous as error:
            raise read_error_from(error) from error
        if response.is_success and self._answers.are_own(response):
            return response
        meant = self._read_error(response)
        raise Misconfigured(str(meant), meant.http_status) if isinstance(meant, Refused) else meant

    def _read_error(self, response: httpx.Response) -> Exception:
        error = read_error_from(error_from(response))
        if isinstance(error, Refused | Misconfigured) and not self._answers.are_own(response):
            # A proxy's 404 for a vendor that is away passes by itself, and says nothing of what is there.
            return Unavailable(http_status(response.status_code), f"{error} (perhaps not by the vendor itself)")
        return error


_decode_user = msgspec.json.Decoder(User).decode
