"""httpx's client without what no vendor needs and each call would pay for: redirects, cookies, request hooks, its log.

It does not follow redirects: a write must not be repeated unasked. It keeps no cookies: they would grow without end.
"""

from typing import Any

import httpx


class VendorClient(httpx.AsyncClient):
    """Client for one vendor account. Each answer is read to its end, unless its transport streams it."""

    def __init__(
        self, *, base_url: str, auth: httpx.Auth, transport: httpx.AsyncBaseTransport, timeout: httpx.Timeout
    ) -> None:
        # The transport is the network with the proxies and the certificates that the environment names.
        super().__init__(base_url=base_url, auth=auth, transport=transport, timeout=timeout, trust_env=False)
        self._attempts = transport
        self._vendor_auth = auth
        self._base = str(self.base_url)

    def build_request(self, method: str, url: httpx.URL | str, **parts: Any) -> httpx.Request:
        """Return a request with the client's headers, to ``url`` below its base URL."""
        # httpx parses the path, the base and what it joins of them; joined beforehand, it is one URL to parse.
        if isinstance(url, str) and "://" not in url:
            url = self._base + url.removeprefix("/")
        return super().build_request(method, url, **parts)

    async def send(self, request: httpx.Request, **_: Any) -> httpx.Response:
        """Send ``request``, and what its login takes, and return the last answer. Raises ``httpx.RequestError``."""
        if self.is_closed:
            raise RuntimeError("expected an open client: this one has been closed")
        flow = self._vendor_auth.async_auth_flow(request)
        try:
            request = await anext(flow)
            while True:
                response = await self._attempts.handle_async_request(request)
                response.request = request
                try:
                    for hook in self.event_hooks["response"]:
                        await hook(response)
                    request = await flow.asend(response)
                except StopAsyncIteration:
                    return response
                except BaseException:
                    await response.aclose()
                    raise
        finally:
            await flow.aclose()
