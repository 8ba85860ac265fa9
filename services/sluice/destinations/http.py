"""HTTP to vendors: one client per destination, and what a lost or refused request means.

What happened to a request, and what it becomes::

    nothing was sent     refused, DNS, TLS, proxy, no connection in time  → Unavailable
    it may have arrived  timeout, reset, protocol error, truncated answer → Ambiguous, a read: Unavailable
    it was turned away   401 after one new token, 403, 429, 503           → Unavailable, by ``turned_away``
    it was answered                                                       → the response, which the kind judges

Plain httpx sends each request once. aiohttp, and so the faster ``httpx-aiohttp`` transport, silently sends one with an
idempotent method, ``PUT`` among them, again when a kept-alive connection was dropped (``_retry_connection`` in
``aiohttp/client.py``, 3.14.5), and would apply an increment twice.

A server may close an idle connection in the moment in which we use it, which reads like a lost answer. httpcore looks
before each reuse whether the peer has closed (``has_expired`` in ``httpcore/_async/http11.py``, 1.0.9), and
``KEEPALIVE_EXPIRY_S`` gives idle connections up before servers do; what slips through is ``Ambiguous``.
"""

import re
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from importlib.metadata import version
from typing import Any
from urllib.request import getproxies, proxy_bypass

import httpx
import msgspec

from sluice.destinations.contract import Ambiguous, DestinationSettings, OnRequest, Unavailable, http_status
from sluice.destinations.http_attempts import Attempts, words_of

# All [assumed]: no vendor publishes them.
CONNECT_TIMEOUT_S = 10.0
KEEPALIVE_EXPIRY_S = 3.0
"""Below the 5 s after which Apache, Node.js and uvicorn close an idle connection by default."""
MAX_RETRY_AFTER_S = 3600.0
"""A vendor that asks for more is asked again after an hour."""
MAX_MESSAGE_CHARS = 500


def open_client(
    settings: DestinationSettings,
    *,
    base_url: str,
    max_connections: int,
    auth: httpx.Auth,
    transport: httpx.AsyncBaseTransport | None = None,
    on_request: OnRequest | None = None,
) -> httpx.AsyncClient:
    """A client for one vendor account; ``transport`` stands in for the network in tests.

    Redirects are not followed: a repeated write is ours to decide. Answers are asked for uncompressed: they are small,
    and a compressed one may unpack to a thousand times what it seems.
    """
    network = transport or _network(base_url, max_connections)
    return httpx.AsyncClient(
        base_url=base_url,
        auth=auth,
        transport=Attempts(network, settings.timeout_s, on_request),
        # From sending to the end of the answer Attempts keeps one deadline: httpx's begins anew with every few bytes.
        timeout=httpx.Timeout(None, connect=CONNECT_TIMEOUT_S, pool=CONNECT_TIMEOUT_S),
        headers={
            "user-agent": f"sluice/{version('sluice')}",
            "accept": "application/json",
            "accept-encoding": "identity",
        },
        follow_redirects=False,
        # Proxies are looked up in _network: httpx does not combine them with a transport of ours.
        trust_env=False,
    )


async def send(client: httpx.AsyncClient, request: httpx.Request) -> httpx.Response:
    """The answer to ``request``, whatever its status, read to its end. Raises ``Unavailable`` and ``Ambiguous``."""
    try:
        response = await client.send(request)
    except _NOTHING_SENT as error:
        raise Unavailable("connect", f"cannot reach {place(request)}: {words_of(error)}") from error
    except httpx.RequestError as error:
        lost = f"lost the answer of {place(request)}: {words_of(error)}"
        timed_out = isinstance(error, httpx.TimeoutException)
        # The token's request was lost, and with it the chance to send ours; or ours had been turned away with a 401.
        if error.request is not request:
            raise Unavailable("no-answer", f"no token: {lost}", overloaded=timed_out) from error
        if request.method in ("GET", "HEAD"):
            raise Unavailable("no-answer", lost, overloaded=timed_out) from error
        raise Ambiguous(lost, timed_out=timed_out) from error
    # It is read. What it was read from refers back to it, and would keep both bodies until the collector comes.
    response.stream = httpx.ByteStream(b"")
    return response


def turned_away(response: httpx.Response) -> Unavailable | None:
    """The outage that a status tells of, when it says that nothing was done: 401, 403, 429 or 503; else ``None``."""
    status = response.status_code
    if status not in (401, 403, 429, 503):
        return None
    message = f"{place(response.request)} answered {status}: {error_message(response)}"
    if status in (401, 403):
        return Unavailable("auth", f"{message}; check the credentials and what they may do", retry_after_s(response))
    return Unavailable(http_status(status), message, retry_after_s(response), overloaded=True)


def retry_after_s(response: httpx.Response, now: datetime | None = None) -> float | None:
    """Seconds that ``Retry-After`` asks for, as a number or an HTTP date; ``None`` where it is absent or unreadable.

    A date counts from the answer's own ``Date``, so that the vendor's clock is only compared with itself.
    """
    value = response.headers.get("retry-after", "").strip()
    if re.fullmatch(r"[0-9]+(\.[0-9]+)?", value):
        return min(float(value), MAX_RETRY_AFTER_S)
    until = _http_date(value)
    if until is None:
        return None
    since = answered_at(response) or now or datetime.now(UTC)
    return min(max((until - since).total_seconds(), 0.0), MAX_RETRY_AFTER_S)


def answered_at(response: httpx.Response) -> datetime | None:
    """When ``response`` was made by the vendor's clock, to the second; ``None`` where it does not say."""
    return _http_date(response.headers.get("date", ""))


def error_message(response: httpx.Response, secrets: Iterable[str] = ()) -> str:
    """What a vendor says about an error, in one line of at most ``MAX_MESSAGE_CHARS``; for people, never to branch on.

    Reads ``message``, ``errors[].message``, ``error_description`` and ``error`` (blueconic.md §7), under these names in
    any case and also in a list, as other vendors have them; else the plain text, of HTML too. The request's credentials
    and ``secrets`` become ``***``.
    """
    try:
        said = "; ".join(dict.fromkeys(_said(msgspec.json.decode(response.content))))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        said = ""
    said = said or re.sub(r"<[^>]*>", " ", response.content[: 8 * MAX_MESSAGE_CHARS].decode("utf-8", "replace"))
    credentials = response.request.headers.get("authorization", "").split(" ")[1:]
    for secret in (*secrets, *credentials):
        if secret:
            said = said.replace(secret, "***")
    words = " ".join(said.split())
    if len(words) > MAX_MESSAGE_CHARS:
        words = words[: MAX_MESSAGE_CHARS - 1] + "…"
    return words or "no message"


def place(request: httpx.Request) -> str:
    """Where ``request`` goes, as a message names it: without what may be secret in its address."""
    url = request.url
    return f"{request.method} {url.scheme}://{url.netloc.decode()}{url.path}"


_NOTHING_SENT = (
    httpx.ConnectError,
    httpx.ConnectTimeout,
    httpx.PoolTimeout,
    httpx.ProxyError,
    httpx.UnsupportedProtocol,
)


def _network(base_url: str, max_connections: int) -> httpx.AsyncBaseTransport:
    """The network, through the proxy that HTTPS_PROXY and NO_PROXY name for every program of a machine or pod.

    The one thing here that reads the environment: whoever sets them expects all programs to follow.
    """
    url = httpx.URL(base_url)
    proxies = {} if proxy_bypass(url.host) else getproxies()
    proxy = proxies.get(url.scheme) or proxies.get("all")
    return httpx.AsyncHTTPTransport(
        limits=httpx.Limits(
            max_connections=max_connections,
            max_keepalive_connections=max_connections,
            keepalive_expiry=KEEPALIVE_EXPIRY_S,
        ),
        proxy=proxy if proxy is None or "://" in proxy else f"http://{proxy}",
    )


def _said(answer: Any) -> Iterator[str]:
    """The messages in a decoded error body."""
    match answer:
        case str():
            yield answer
        case list():
            for part in answer:
                yield from _said(part)
        case dict():
            named = {str(name).lower(): value for name, value in answer.items()}
            about = f"{named['field']}: " if isinstance(named.get("field"), str) else ""
            for name in ("message", "errors", "error_description", "error"):
                yield from (about + said for said in _said(named.get(name)))


def _http_date(text: str) -> datetime | None:
    try:
        date = parsedate_to_datetime(text)
    except (ValueError, TypeError, OverflowError):
        return None
    return date if date.tzinfo else date.replace(tzinfo=UTC)
