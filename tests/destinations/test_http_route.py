"""Ways to a server: by TLS, by proxies of the environment, and not at all. Nothing is sent on a way that fails."""

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
import pytest

from sandbox.kafka.certificates import Authority, KeyPair
from sluice.destinations.contract import Ambiguous, Unavailable
from sluice.destinations.http import send
from sluice.destinations.http_route import Route
from tests.destinations.http_server import OK, Server, client, put

PROXY_VARIABLES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY")


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in PROXY_VARIABLES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="module")
def certificate(authority: Authority) -> KeyPair:
    return authority.issue("vendor", host="localhost")


def tls_of(certificate: KeyPair) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate.cert_file, certificate.key_file)
    return context


async def ok(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(OK)


@asynccontextmanager
async def secure(server: Server, certificate: KeyPair) -> AsyncIterator[str]:
    async with server.running(tls_of(certificate)) as url:
        yield url.replace("http://127.0.0.1", "https://localhost")


class Proxy:
    """A proxy that notes the heads it gets, opens tunnels to ``port``, and answers other requests itself."""

    def __init__(self, answer: bytes = b"HTTP/1.1 200 Connection established\r\n\r\n") -> None:
        self.heads: list[bytes] = []
        self.port = 0
        self._answer = answer

    @asynccontextmanager
    async def running(self, tls: ssl.SSLContext | None = None) -> AsyncIterator[str]:
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0, ssl=tls)
        async with server:
            yield f"localhost:{server.sockets[0].getsockname()[1]}"

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            self.heads.append(await reader.readuntil(b"\r\n\r\n"))
            if not self.heads[-1].startswith(b"CONNECT "):
                writer.write(OK)
                return
            writer.write(self._answer)
            if b" 200 " in self._answer:
                vendor_reader, vendor_writer = await asyncio.open_connection("127.0.0.1", self.port)
                await asyncio.gather(_pipe(reader, vendor_writer), _pipe(vendor_reader, writer))
        finally:
            writer.close()


async def _pipe(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while data := await reader.read(65536):
            writer.write(data)
    finally:
        writer.close()


def port_of(url: str) -> int:
    return int(url.rpartition(":")[2])


async def test_a_certificate_is_checked_against_ssl_cert_file(
    authority: Authority, certificate: KeyPair, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.ca_file))
    server = Server(ok)
    async with secure(server, certificate) as url, client(url) as http:
        assert (await put(http)).content == (await put(http)).content == b"[]"
    assert (server.requests, server.connections) == (2, 1)


async def test_a_certificate_of_an_unknown_authority_is_an_outage_that_says_so(certificate: KeyPair) -> None:
    server = Server(ok)
    async with secure(server, certificate) as url, client(url) as http:
        with pytest.raises(Unavailable, match=r"cannot reach PUT .*SSLCertVerificationError.*unable to get") as error:
            await put(http)
    assert (server.requests, error.value.reason) == (0, "connect")


async def test_a_certificate_for_another_host_is_an_outage_that_says_so(
    authority: Authority, certificate: KeyPair, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.ca_file))
    server = Server(ok)
    async with secure(server, certificate) as url, client(url.replace("localhost", "127.0.0.1")) as http:
        with pytest.raises(Unavailable, match=r"SSLCertVerificationError.*127\.0\.0\.1"):
            await put(http)
    assert server.requests == 0


async def test_a_tls_error_after_the_handshake_is_ambiguous(
    authority: Authority, certificate: KeyPair, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The server breaks into its own stream in plain text."""
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.ca_file))

    async def break_in(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        raw: socket.socket = writer.get_extra_info("socket")
        with socket.socket(fileno=socket.dup(raw.fileno())) as below:
            below.send(OK)

    server = Server(break_in)
    async with secure(server, certificate) as url, client(url) as http:
        with pytest.raises(Ambiguous, match=r"ReadError SSLError .*SSL"):
            await put(http)
    assert server.requests == 1


@pytest.mark.parametrize(
    ("url", "said"),
    [
        pytest.param("http://vendor.invalid", "gaierror", id="no such name"),
        pytest.param(f"http://{'a' * 70}.test", r"Unicode\w*Error", id="a label that is too long"),
        pytest.param("http://127.0.0.1:1", "ConnectionRefusedError", id="refused"),
        pytest.param("https://127.0.0.1:1", "ConnectionRefusedError", id="refused, for TLS"),
    ],
)
async def test_a_server_that_cannot_be_reached_is_an_outage_that_says_why(url: str, said: str) -> None:
    async with client(url) as http:
        with pytest.raises(Unavailable, match=rf"cannot reach PUT .*ConnectError {said}") as error:
            await put(http)
    assert (error.value.reason, error.value.overloaded) == ("connect", False)


async def test_a_handshake_that_never_ends_is_given_up() -> None:
    async def listen(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    server = await asyncio.start_server(listen, "127.0.0.1", 0)
    async with server:
        url = httpx.URL(f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}")
        with pytest.raises(httpx.ConnectTimeout, match=r"no connection within 0\.05 s"):
            await Route(None).open(url, 0.05)


async def test_a_proxy_gets_the_whole_address_of_plain_http(monkeypatch: pytest.MonkeyPatch) -> None:
    proxy = Proxy()
    async with proxy.running() as at:
        monkeypatch.setenv("HTTP_PROXY", f"http://user:p%40ss@{at}")
        async with client("http://vendor.test/rest") as http:
            await put(http)
    assert proxy.heads[0].startswith(b"PUT http://vendor.test/rest/groups HTTP/1.1\r\nhost: vendor.test\r\n")
    assert b"proxy-authorization: Basic dXNlcjpwQHNz\r\n" in proxy.heads[0]


@pytest.mark.parametrize("scheme", ["", "http://", "https://"])
async def test_a_proxy_opens_a_tunnel_for_https(
    scheme: str, authority: Authority, certificate: KeyPair, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.ca_file))
    server, proxy = Server(ok), Proxy()
    async with (
        secure(server, certificate) as url,
        proxy.running(tls_of(certificate) if scheme == "https://" else None) as at,
    ):
        proxy.port = port_of(url)
        monkeypatch.setenv("HTTPS_PROXY", f"{scheme}{'user:pass@' if scheme else ''}{at}")
        async with client(url) as http:
            assert (await put(http)).content == (await put(http)).content == b"[]"
    assert (server.requests, server.connections, len(proxy.heads)) == (2, 1, 1)
    place = f"localhost:{proxy.port}".encode()
    assert proxy.heads[0].startswith(b"CONNECT " + place + b" HTTP/1.1\r\nhost: " + place + b"\r\n")
    assert (b"proxy-authorization: Basic dXNlcjpwYXNz" in proxy.heads[0]) == bool(scheme)


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        pytest.param(b"HTTP/1.1 407 Who?\r\ncontent-length: 0\r\n\r\n", "the proxy answered 407", id="refused"),
        pytest.param(b"", "no answer to CONNECT", id="no answer"),
    ],
)
async def test_a_proxy_that_opens_no_tunnel_is_an_outage(
    answer: bytes, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with Proxy(answer).running() as at:
        monkeypatch.setenv("HTTPS_PROXY", f"http://user:s3cret@{at}")
        async with client("https://vendor.test") as http:
            with pytest.raises(Unavailable, match=rf"ProxyError {said}.*vendor\.test:443") as error:
                await put(http)
    assert "s3cret" not in str(error.value)


async def test_a_certificate_behind_a_proxy_is_checked(certificate: KeyPair, monkeypatch: pytest.MonkeyPatch) -> None:
    server, proxy = Server(ok), Proxy()
    async with secure(server, certificate) as url, proxy.running() as at:
        proxy.port = port_of(url)
        monkeypatch.setenv("HTTPS_PROXY", at)
        async with client(url) as http:
            with pytest.raises(Unavailable, match="SSLCertVerificationError"):
                await put(http)
    assert server.requests == 0


async def test_no_proxy_is_heeded(monkeypatch: pytest.MonkeyPatch) -> None:
    proxy = Proxy()
    async with Server(ok).running() as url, proxy.running() as at:
        monkeypatch.setenv("HTTP_PROXY", f"http://{at}")
        monkeypatch.setenv("NO_PROXY", "127.0.0.1")
        async with client(url) as http:
            await put(http)
    assert proxy.heads == []


def test_a_proxy_of_another_kind_is_refused() -> None:
    with pytest.raises(ValueError, match="expected a proxy at http:// or https://, got socks5://"):
        Route("socks5://127.0.0.1:1")


async def test_an_answer_before_the_whole_request_ends_the_connection_by_tls_too(
    authority: Authority, certificate: KeyPair, monkeypatch: pytest.MonkeyPatch
) -> None:
    """TLS of asyncio hands all of a request to the socket's buffer, and then says that nothing waits."""

    async def refuse(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(OK)
        await closed.wait()

    monkeypatch.setenv("SSL_CERT_FILE", str(authority.ca_file))
    closed = asyncio.Event()
    server = Server(refuse)
    async with secure(server, certificate) as url, client(url) as http:
        await send(http, http.build_request("PUT", "/groups", content=bytes(64 * 2**20)))
        closed.set()
        assert (await put(http)).status_code == 200
    assert server.connections == 2
