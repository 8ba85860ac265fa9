"""Calls of one org: each is sent once, in the user's session, and raises what its answer means.

A call names its ``effect``, which decides what a lost answer is worth:

- ``nothing``: no record changes, whatever becomes of it, such as to make or close a job: ``Unavailable``, and it may be
  sent again.
- ``repeatable``: records that may be written twice.
- ``once``: records that must not be. An answer that may be a proxy's is ``Ambiguous``.
"""

import asyncio
import gzip
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Literal

import httpx

from sluice.destinations.contract import (
    Ambiguous,
    BatchError,
    Misconfigured,
    OnRequest,
    PreSendCheck,
    Refused,
    Unavailable,
)
from sluice.destinations.http import describe_request, open_client, send, stream
from sluice.destinations.http_attempts import PRE_SEND_CHECK
from sluice.destinations.oauth import RESEND_CHECK
from sluice.destinations.salesforce.errors import is_code, read_error_of, unavailable_of, write_error
from sluice.destinations.salesforce.login_settings import Login
from sluice.destinations.salesforce.quotas import Quotas
from sluice.destinations.salesforce.session import ASYNC_PATH, Session, is_refused_session
from sluice.destinations.salesforce.vendor_errors import read_error
from sluice.destinations.settings import DestinationSettings
from sluice.destinations.vendor_answers import VendorAnswers
from sluice.destinations.vendor_jobs import Quota

Effect = Literal["nothing", "repeatable", "once"]
JSON = "application/json"
CSV = "text/csv; charset=UTF-8"
XML = "application/xml; charset=UTF-8"
COMPRESS_FROM_BYTES = 1024
"""A smaller body is sent as it is. [assumed]"""
COMPRESSION = 1
"""Level of gzip: the fastest, which packs a table to a fifth as well. [assumed]"""


class Calls:
    """Client of one org. ``bulk1`` and ``data`` are the bases of its paths."""

    def __init__(
        self,
        settings: DestinationSettings,
        login: Login,
        *,
        api_version: str,
        max_connections: int,
        compress: bool = False,
        transport: httpx.AsyncBaseTransport | None = None,
        on_request: OnRequest | None = None,
    ) -> None:
        """``compress`` the requests of Bulk API 1.0. Raises ``Misconfigured`` for a login that cannot work."""
        self.bulk1 = f"{ASYNC_PATH}{api_version}"
        self.data = f"/services/data/v{api_version}"
        self._compress = compress
        self._quotas = Quotas()
        self._answers = VendorAnswers(settings.own_answer_header, _is_own_error, _is_own_success)
        self._client = open_client(
            settings,
            base_url=_origin(settings.url),
            max_connections=max_connections,
            auth=Session(_origin(settings.url), login),
            transport=transport,
            on_request=on_request,
            on_response=self._note,
        )

    @property
    def vendor_at(self) -> datetime | None:
        """The vendor's own clock in its newest answer."""
        return self._answers.vendor_at

    @property
    def quotas(self) -> Mapping[str, Quota]:
        """The org's budgets as it told them last."""
        return self._quotas.known

    async def get(self, path: str, *, accept: str = JSON) -> httpx.Response:
        """Return the success that answers a read. Raises ``Unavailable``, ``Misconfigured``, ``Refused``."""
        response = await send(self._client, self._client.build_request("GET", path, headers={"accept": accept}))
        self._expect_success_of_read(response)
        return response

    async def find(self, path: str) -> bytes | None:
        """Return the body at ``path`` below ``data``; ``None`` where nothing is, by the vendor's own answer.

        Raises ``Unavailable``, ``Misconfigured``.
        """
        try:
            return (await self.get(f"{self.data}/{path}")).content
        except Refused as error:
            if is_code(error, "NOT_FOUND"):
                return None
            raise Unavailable("no-answer", f"cannot read {path}: {error}") from error

    @asynccontextmanager
    async def stream(self, path: str, *, max_bytes: int, accept: str = CSV) -> AsyncIterator[AsyncIterator[bytes]]:
        """Yield the pieces of the success that answers a read, of at most ``max_bytes``. Raises as :meth:`get` does."""
        request = self._client.build_request("GET", path, headers={"accept": accept, "accept-encoding": "gzip"})
        async with stream(self._client, request, max_bytes) as (response, pieces):
            if response.is_success and not self._answers.are_own(response):
                raise Unavailable("no-answer", f"{describe_request(request)} answered with a page: a proxy's, it seems")
            self._expect_success_of_read(response)
            yield pieces

    async def write(
        self,
        method: Literal["POST", "PUT", "PATCH", "DELETE"],
        path: str,
        body: bytes = b"",
        media_type: str = JSON,
        *,
        effect: Effect,
        check: PreSendCheck | None = None,
        accept: str = JSON,
        headers: Mapping[str, str] | None = None,
    ) -> httpx.Response:
        """Return the success that answers a call with ``effect``; ``check`` runs in the last moment before it leaves.

        Raises ``Unavailable``, ``Misconfigured``, ``Refused``; ``Ambiguous`` unless the effect is ``nothing``.
        """
        extensions: dict[str, object] = {PRE_SEND_CHECK: check}
        if effect == "once":
            extensions[RESEND_CHECK] = is_refused_session
        fields = {"accept": accept, **({"content-type": media_type} if body else {}), **(headers or {})}
        if self._compress and path.startswith(ASYNC_PATH) and len(body) >= COMPRESS_FROM_BYTES:
            body = await asyncio.to_thread(gzip.compress, body, COMPRESSION, mtime=0)
            fields["content-encoding"] = "gzip"
        request = self._client.build_request(method, path, content=body, headers=fields, extensions=extensions)
        try:
            response = await send(self._client, request)
        except Ambiguous as error:
            if effect == "nothing":
                raise unavailable_of(error) from error
            raise
        if not (response.is_success and self._answers.are_own(response)):
            raise self._error_of_write(response, effect)
        return response

    async def read_quotas(self) -> None:
        """Read the org's budgets, at most every five minutes and after one was refused. Never raises for them."""
        now_s = asyncio.get_running_loop().time()
        if not self._quotas.is_due(now_s):
            return
        self._quotas.ask(now_s)
        try:
            await self.read_limits()
        except BatchError:
            # What fails here fails elsewhere too, where it matters. It may be for the very budget.
            self._quotas.ask(now_s)

    async def read_limits(self) -> str:
        """Read the org's budgets now, and return the host that told them.

        Raises ``Unavailable``, and ``Misconfigured``: an org that has no budgets in our version does not serve it.
        """
        try:
            response = await self.get(f"{self.data}/limits")
        except Refused as error:
            raise Misconfigured(f"{error}; correct `url` and `api_version`", error.http_status) from error
        self._quotas.read(response)
        return response.request.url.host

    async def aclose(self) -> None:
        """Close the connections."""
        await self._client.aclose()

    def _expect_success_of_read(self, response: httpx.Response) -> None:
        is_own = self._answers.are_own(response)
        if response.is_success and is_own:
            return
        error = read_error_of(response, is_own=is_own)
        self._doubt_quotas(error)
        raise error

    def _error_of_write(self, response: httpx.Response, effect: Effect) -> BatchError:
        is_own = self._answers.are_own(response)
        error = write_error(response, is_own=is_own, may_be_repeated=effect != "once")
        self._doubt_quotas(error)
        return unavailable_of(error) if effect == "nothing" and isinstance(error, Ambiguous) else error

    def _doubt_quotas(self, error: BatchError) -> None:
        if isinstance(error, Unavailable) and error.reason == "quota":
            self._quotas.doubt()

    async def _note(self, response: httpx.Response) -> None:
        await self._answers.note(response)
        self._quotas.note(response)


def _origin(url: str) -> str:
    """Return scheme and authority of ``url``: the paths of all calls are known."""
    parts = httpx.URL(url)
    return f"{parts.scheme}://{parts.netloc.decode()}"


def _is_own_error(response: httpx.Response) -> bool:
    return read_error(response) is not None


def _is_own_success(response: httpx.Response) -> bool:
    """Return whether a success may be the vendor's: it answers JSON, XML, tables and nothing, and never a page."""
    media_type = response.headers.get("content-type", "").partition(";")[0].strip().lower()
    return media_type not in ("text/html", "application/xhtml+xml")
