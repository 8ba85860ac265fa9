"""The way to a server, directly or through the proxy: how a connection is opened, and how a request begins on it.

    https, no proxy        TCP, TLS to the server
    http, by a proxy       TCP to the proxy, which gets the whole URL and the credentials for it with each request
    https, by a proxy      TCP to the proxy, CONNECT, TLS to the server

A proxy at ``https://`` has TLS of its own. All certificates are checked against certifi's authorities, or those of
SSL_CERT_FILE or SSL_CERT_DIR (``httpx.create_ssl_context``, 0.28.1).
"""

import asyncio
import socket
import ssl
from base64 import b64encode
from functools import cached_property

import httpx
from aiohappyeyeballs import start_connection

from sluice.destinations.http_connection import Connection

OTHER_ADDRESS_AFTER_S = 0.25
"""Time after which the server's next address is tried beside the first: IPv6 is often broken. RFC 8305 §8"""


class Route:
    """Opens connections; nothing of a request is sent while it does."""

    def __init__(self, proxy: str | None) -> None:
        """Raise ``ValueError`` for a proxy that is not HTTP."""
        self._proxy = None if proxy is None else httpx.Proxy(proxy)
        self._credentials = b""
        if self._proxy is not None:
            if self._proxy.url.scheme not in ("http", "https"):
                raise ValueError(f"expected a proxy at http:// or https://, got {self._proxy.url.scheme}://")
            if self._proxy.raw_auth is not None:
                self._credentials = b"proxy-authorization: Basic %b\r\n" % b64encode(b":".join(self._proxy.raw_auth))

    def head(self, request: httpx.Request) -> bytes:
        """Return the head of ``request``. Raises ``httpx.LocalProtocolError`` for a header with a line break."""
        url, headers = request.url, request.headers.raw
        by_proxy = self._proxy is not None and url.scheme == "http"
        target = b"http://%b%b" % (url.netloc, url.raw_path) if by_proxy else url.raw_path
        lines = [b"%b: %b\r\n" % header for header in headers]
        head = b"%b %b HTTP/1.1\r\n%b" % (request.method.encode(), target, b"".join(lines))
        if not head.count(b"\r") == head.count(b"\n") == len(lines) + 1 or b"\0" in head:
            raise httpx.LocalProtocolError("expected headers of one line each; one has a line break or a NUL")
        return b"%b%b\r\n" % (head, self._credentials if by_proxy else b"")

    async def open(self, url: httpx.URL, timeout_s: float) -> Connection:
        """Return a new connection to the server of ``url``.

        Raises ``httpx.ConnectTimeout``, ``httpx.ConnectError``, ``httpx.ProxyError``.
        """
        try:
            async with asyncio.timeout(timeout_s):
                if self._proxy is None:
                    return await self._connect(url)
                connection = await self._connect(self._proxy.url)
                if url.scheme == "http":
                    return connection
                try:
                    return await self._tunnel(connection, url)
                except BaseException:
                    connection.abort()
                    raise
        except TimeoutError as error:
            raise httpx.ConnectTimeout(f"no connection within {timeout_s:g} s") from error
        except (OSError, UnicodeError) as error:  # a name with a label too long is a UnicodeError
            raise httpx.ConnectError(f"{type(error).__name__} {error}".strip()) from error

    async def _connect(self, url: httpx.URL) -> Connection:
        loop = asyncio.get_running_loop()
        host, port = _host_and_port(url)
        addresses = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        connected = await start_connection(addresses, happy_eyeballs_delay=OTHER_ADDRESS_AFTER_S, interleave=1)
        _, connection = await loop.create_connection(Connection, sock=connected)
        return connection if url.scheme == "http" else await self._secured(connection, host)

    async def _tunnel(self, outer: Connection, url: httpx.URL) -> Connection:
        """Have the proxy connect us to the server of ``url``, and start TLS with the server."""
        host, port = _host_and_port(url)
        place = b"%b:%d" % (url.raw_host if b":" not in url.raw_host else b"[%b]" % url.raw_host, port)
        head = b"CONNECT %b HTTP/1.1\r\nhost: %b\r\naccept: */*\r\n%b\r\n" % (place, place, self._credentials)
        try:
            await outer.exchange(head, b"", None)
        except httpx.TransportError as error:
            raise httpx.ProxyError(f"no answer to CONNECT {place.decode()}: {error}") from error
        if not 200 <= outer.status < 300:
            raise httpx.ProxyError(f"the proxy answered {outer.status} to CONNECT {place.decode()}")
        return await self._secured(outer, host)

    async def _secured(self, outer: Connection, host: str) -> Connection:
        """Start TLS with ``host`` on ``outer``."""
        inner, loop = Connection(outer.socket_transport), asyncio.get_running_loop()
        transport = await loop.start_tls(outer.transport, inner, self._tls, server_hostname=host)
        if transport is None or transport.is_closing():
            raise ConnectionError("closed after the handshake")
        inner.connection_made(transport)
        return inner

    @cached_property
    def _tls(self) -> ssl.SSLContext:
        context = httpx.create_ssl_context()
        context.set_alpn_protocols(["http/1.1"])
        return context


def _host_and_port(url: httpx.URL) -> tuple[str, int]:
    return url.raw_host.decode("ascii"), url.port or (443 if url.scheme == "https" else 80)
