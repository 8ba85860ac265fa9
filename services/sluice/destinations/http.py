"""HTTP to vendors: one client per destination, and the meaning of a lost or refused request.

The fate of a request, and what it becomes::

    not sent             refused, DNS, TLS, proxy, no connection in time  → Unavailable
    may have arrived     timeout, reset, protocol error, truncated answer → Ambiguous; for a read: Unavailable
    answered             401 after one new token, 403, 429, 503           → Unavailable, by ``unavailable_from``
    answered otherwise                                                    → the response, which the kind judges

``Network`` in ``http_transport.py`` sends each request once. A server may close an idle connection at the moment when
we use it, which looks like a lost answer. So it asks the socket before each reuse, and uses no connection that was idle
for ``KEEPALIVE_EXPIRY_S``. The rest is ``Ambiguous``.
"""

import re
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import lru_cache
from importlib.metadata import version
from typing import Any
from urllib.request import getproxies, proxy_bypass

import httpx
import msgspec

from sluice.destinations.contract import Ambiguous, OnRequest, Unavailable, http_status
from sluice.destinations.http_attempts import STREAMED, Attempts, describe_error
from sluice.destinations.http_client import OnResponse, VendorClient
from sluice.destinations.http_route import Route
from sluice.destinations.http_transport import Network
from sluice.destinations.settings import DestinationSettings

# All [assumed]: no vendor publishes them.
CONNECT_TIMEOUT_S = 10.0
KEEPALIVE_EXPIRY_S = 3.0
"""Below the 5 s after which Apache, Node.js and uvicorn close an idle connection by default."""
MAX_RETRY_AFTER_S = 3600.0
"""A vendor that asks for a longer wait is tried again after an hour."""
MAX_MESSAGE_CHARS = 500


def open_client(
    settings: DestinationSettings,
    *,
    base_url: str,
    max_connections: int,
    auth: httpx.Auth,
    transport: httpx.AsyncBaseTransport | None = None,
    on_request: OnRequest | None = None,
    on_response: OnResponse | None = None,
) -> VendorClient:
    """Make a client for one vendor account; ``transport`` replaces the network in tests.

    It requests uncompressed answers: they are small, and a compressed one may unpack to a thousand times its size.
    """
    return VendorClient(
        base_url=base_url,
        headers={
            "user-agent": f"sluice/{version('sluice')}",
            "accept": "application/json",
            "accept-encoding": "identity",
        },
        auth=auth,
        transport=Attempts(transport or _network(base_url, max_connections), settings.timeout_s, on_request),
        on_response=on_response,
    )


async def send(client: VendorClient, request: httpx.Request) -> httpx.Response:
    """Send ``request`` and return its answer, of any status, read to its end. Raises ``Unavailable``, ``Ambiguous``."""
    try:
        return await client.send(request)
    except _NOTHING_SENT as error:
        raise Unavailable("connect", f"cannot reach {describe_request(request)}: {describe_error(error)}") from error
    except httpx.RequestError as error:
        lost = f"lost the answer of {describe_request(request)}: {describe_error(error)}"
        too_slow = isinstance(error, httpx.TimeoutException)
        # The lost request was the one for a token. Ours was either not sent yet or answered 401: it had no effect.
        if error.request is not request:
            raise Unavailable("no-answer", f"no token: {lost}", overloaded=too_slow) from error
        if request.method in ("GET", "HEAD"):
            raise Unavailable("no-answer", lost, overloaded=too_slow) from error
        raise Ambiguous(lost, overloaded=too_slow) from error


@asynccontextmanager
async def stream(
    client: VendorClient, request: httpx.Request, max_bytes: int
) -> AsyncIterator[tuple[httpx.Response, AsyncIterator[bytes]]]:
    """Send ``request``, a read, and yield its answer and the pieces of its body, which comes while they are taken.

    The body of an error is in the answer. Raises ``Unavailable``, for a body beyond ``max_bytes`` too.
    """
    request.extensions[STREAMED] = max_bytes
    response = await send(client, request)
    try:
        yield response, _pieces(response)
    finally:
        await response.aclose()


def unavailable_from(response: httpx.Response) -> Unavailable | None:
    """Return the error for a status which says that nothing was done: 401, 403, 429 or 503; else ``None``."""
    status = response.status_code
    if status not in (401, 403, 429, 503):
        return None
    message = f"{describe_request(response.request)} answered {status}: {error_message(response)}"
    if status in (401, 403):
        return Unavailable("auth", f"{message}; check the credentials and what they may do", retry_after_s(response))
    return Unavailable(http_status(status), message, retry_after_s(response), overloaded=True)


def retry_after_s(response: httpx.Response) -> float | None:
    """Return the seconds that ``Retry-After`` asks for, or ``None`` if it is absent or unreadable.

    It is a number or an HTTP date (RFC 9110 §10.2.3). A date counts from the answer's own ``Date``, without which it
    says nothing: the vendor's clock is only compared with itself.
    """
    value = response.headers.get("retry-after", "").strip()
    if re.fullmatch(r"[0-9]+(\.[0-9]+)?", value):
        return min(float(value), MAX_RETRY_AFTER_S)
    until, since = _http_date(value), answered_at(response)
    if until is None or since is None:
        return None
    return min(max((until - since).total_seconds(), 0.0), MAX_RETRY_AFTER_S)


def answered_at(response: httpx.Response) -> datetime | None:
    """Return the vendor's time in ``response``, to the second, or ``None`` if it has no valid ``Date``."""
    return _http_date(response.headers.get("date", ""))


def error_message(response: httpx.Response, secrets: Iterable[str] = ()) -> str:
    """Return the vendor's words about an error, in one line of at most ``MAX_MESSAGE_CHARS``; never branch on them.

    Reads ``message``, ``errors[].message``, ``error_description`` and ``error`` (blueconic.md §7), in any case and also
    in a list, as other vendors write them; else the plain text, of HTML too. Replaces the request's credentials and
    ``secrets`` by ``***``.
    """
    try:
        text = "; ".join(dict.fromkeys(_messages_in(msgspec.json.decode(response.content))))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        text = ""
    text = text or re.sub(r"<[^>]*>", " ", response.content[: 8 * MAX_MESSAGE_CHARS].decode("utf-8", "replace"))
    credentials = response.request.headers.get("authorization", "").split(" ")[1:]
    return message_line(text, (*secrets, *credentials))


def message_line(text: str, secrets: Iterable[str]) -> str:
    """Return ``text`` in one line of at most ``MAX_MESSAGE_CHARS``, with ``***`` for each of ``secrets``."""
    text = text[: 8 * MAX_MESSAGE_CHARS]
    for secret in secrets:
        if secret:
            text = text.replace(secret, "***")
    line = " ".join(text.split())
    if len(line) > MAX_MESSAGE_CHARS:
        line = line[: MAX_MESSAGE_CHARS - 1] + "…"
    return line or "no message"


def describe_request(request: httpx.Request) -> str:
    """Return the method and URL of ``request`` for a message, without user name, password and query."""
    url = request.url
    return f"{request.method} {url.scheme}://{url.netloc.decode()}{url.path}"


async def _pieces(response: httpx.Response) -> AsyncIterator[bytes]:
    try:
        async for piece in response.aiter_bytes():
            yield piece
    except httpx.RequestError as error:
        too_slow = isinstance(error, httpx.TimeoutException)
        lost = f"lost the rest of the answer of {describe_request(response.request)}: {describe_error(error)}"
        raise Unavailable("no-answer", lost, overloaded=too_slow) from error


_NOTHING_SENT = (
    httpx.ConnectError,
    httpx.ConnectTimeout,
    httpx.PoolTimeout,
    httpx.ProxyError,
    httpx.UnsupportedProtocol,
)


def _network(base_url: str, max_connections: int) -> httpx.AsyncBaseTransport:
    """Make a transport that uses the proxy of HTTPS_PROXY and NO_PROXY.

    Nothing else here reads the environment: these variables are set for every program of a machine or pod.
    """
    url = httpx.URL(base_url)
    proxies = {} if proxy_bypass(url.host) else getproxies()
    proxy = proxies.get(url.scheme) or proxies.get("all")
    route = Route(proxy if proxy is None or "://" in proxy else f"http://{proxy}")
    return Network(route, max_connections, connect_timeout_s=CONNECT_TIMEOUT_S, idle_s=KEEPALIVE_EXPIRY_S)


def _messages_in(answer: Any) -> Iterator[str]:
    """Yield the messages in a decoded error body."""
    match answer:
        case str():
            yield answer
        case list():
            for part in answer:
                yield from _messages_in(part)
        case dict():
            named = {str(name).lower(): value for name, value in answer.items()}
            prefix = f"{named['field']}: " if isinstance(named.get("field"), str) else ""
            for name in ("message", "errors", "error_description", "error"):
                yield from (prefix + message for message in _messages_in(named.get(name)))


@lru_cache(maxsize=2)  # an answer has a new one once a second
def _http_date(text: str) -> datetime | None:
    try:
        date = parsedate_to_datetime(text)
    except (ValueError, TypeError, OverflowError):
        return None
    return date if date.tzinfo else date.replace(tzinfo=UTC)
