"""Client for one vendor account: makes requests, sends them with their login, and returns the answers.

It is what is left of ``httpx.AsyncClient``, which takes several times the CPU: without redirects, for a write must not
be repeated unasked, and without cookies, which no vendor needs and which would grow without end.
"""

from collections.abc import Awaitable, Callable, Mapping
from functools import lru_cache
from types import TracebackType
from typing import Any, Self

import httpx

OnResponse = Callable[[httpx.Response], Awaitable[None]]
"""Callback after each answer, also of a login and of a request that is sent again."""


class VendorClient:
    """Client whose transport gives answers that are read to their end, or streamed where the request says so."""

    def __init__(
        self,
        *,
        base_url: str,
        headers: Mapping[str, str],
        auth: httpx.Auth,
        transport: httpx.AsyncBaseTransport,
        on_response: OnResponse | None = None,
    ) -> None:
        self.base_url = base_url.removesuffix("/")
        self._headers = headers
        self.auth = auth
        self._transport = transport
        self._on_response = on_response

    def build_request(
        self,
        method: str,
        path: str,
        *,
        content: bytes = b"",
        params: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        extensions: Mapping[str, Any] | None = None,
    ) -> httpx.Request:
        """Return a request to ``path`` below the base URL. ``headers``, in lower case, replace the client's own."""
        url = _url(f"{self.base_url}/{path.removeprefix('/')}")
        if params is not None:
            url = url.copy_merge_params(params)
        fields = {"host": url.netloc.decode(), **self._headers, **(headers or {})}
        if content or method not in ("GET", "HEAD", "DELETE"):
            fields["content-length"] = str(len(content))
        # With `content` instead of `stream`, httpx takes five times as long to add the same two headers.
        body = httpx.ByteStream(content)
        request = httpx.Request(method, url, headers=fields, stream=body, extensions=dict(extensions or {}))
        request.read()
        return request

    async def send(self, request: httpx.Request) -> httpx.Response:
        """Send ``request``, and before it what its login takes. Raises ``httpx.RequestError``."""
        flow = self.auth.async_auth_flow(request)
        try:
            request = await anext(flow)
            while True:
                response = await self._transport.handle_async_request(request)
                response.request = request
                try:
                    if self._on_response is not None:
                        await self._on_response(response)
                    request = await flow.asend(response)
                except StopAsyncIteration:
                    return response
                except BaseException:
                    await response.aclose()
                    raise
        finally:
            await flow.aclose()

    async def aclose(self) -> None:
        """Close the connections."""
        await self._transport.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.aclose()


@lru_cache(maxsize=1000)
def _url(text: str) -> httpx.URL:
    """Return ``text`` as a URL, which cannot change; most calls of a kind go to a few."""
    return httpx.URL(text)
