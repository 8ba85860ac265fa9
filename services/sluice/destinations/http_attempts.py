"""One attempt at a vendor's HTTP API: its deadline, its span, its figures, and the last look before it leaves."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import cast

import httpx
from opentelemetry import trace
from opentelemetry.semconv.attributes import error_attributes, http_attributes, server_attributes, url_attributes
from opentelemetry.trace import INVALID_SPAN, Span, SpanKind, StatusCode

from sluice.destinations.contract import NoAnswer, OnRequest, PreSendCheck, RequestStatus, http_status

PRE_SEND_CHECK = "sluice.pre-send-check"
"""The extension of a request with its :data:`~sluice.destinations.contract.PreSendCheck`."""


class Attempts(httpx.AsyncBaseTransport):
    """Sends each attempt through ``transport``: with a deadline, a span, and its figures for ``on_request``."""

    def __init__(self, transport: httpx.AsyncBaseTransport, timeout_s: float, on_request: OnRequest | None) -> None:
        self._transport = transport
        self._timeout_s = timeout_s
        self._on_request = on_request

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Returns with the body read, so that the deadline and the figures cover the whole answer."""
        started_s = time.perf_counter()
        status: RequestStatus = "cancelled"
        with _span(request) as span:
            try:
                async with asyncio.timeout(None) as deadline:
                    request.extensions["trace"] = self._starting(deadline, request.extensions.get(PRE_SEND_CHECK))
                    response = await self._transport.handle_async_request(request)
                    await response.aread()
                status = http_status(response.status_code)
            except TimeoutError as error:
                status = "ReadTimeout"
                raise httpx.ReadTimeout(f"no complete answer within {self._timeout_s:g} s") from error
            except OSError as error:
                # httpcore passes on TLS errors that come after the handshake.
                status = "ReadError"
                raise httpx.ReadError(words_of(error)) from error
            except httpx.RequestError as error:
                status = cast(NoAnswer, type(error).__name__)
                raise
            finally:
                _record(span, status)
                if self._on_request is not None:
                    self._on_request(status, time.perf_counter() - started_s)
        return response

    async def aclose(self) -> None:
        await self._transport.aclose()

    def _starting(
        self, deadline: asyncio.Timeout, check: PreSendCheck | None
    ) -> Callable[[str, object], Awaitable[None]]:
        """Start ``deadline`` when httpcore begins to send: until then nothing is ambiguous, and httpx has timeouts.

        An error that ``check`` raises closes the connection: a request without its body is not one.
        """

        async def on_event(event: str, _: object) -> None:
            if event == "http11.send_request_headers.started":
                deadline.reschedule(asyncio.get_running_loop().time() + self._timeout_s)
            if check is not None and event in _LEAVING:
                check()

        return on_event


_LEAVING = ("http11.send_request_headers.started", "http11.send_request_body.started")
_ATTEMPT = "sluice.attempt"
_tracer = trace.get_tracer("sluice.http", schema_url="https://opentelemetry.io/schemas/1.36.0")


@contextmanager
def _span(request: httpx.Request) -> Iterator[Span]:
    """A CLIENT span when the current span is recorded; otherwise it costs nothing.

    ``traceparent`` is not sent along: the vendor is a third party, and our traces are none of its business.
    """
    resends = request.extensions.get(_ATTEMPT, 0)
    request.extensions[_ATTEMPT] = resends + 1
    if not trace.get_current_span().is_recording():
        yield INVALID_SPAN
        return
    url = request.url
    attributes: dict[str, str | int] = {
        http_attributes.HTTP_REQUEST_METHOD: request.method,
        server_attributes.SERVER_ADDRESS: url.host,
        server_attributes.SERVER_PORT: url.port or (443 if url.scheme == "https" else 80),
        url_attributes.URL_PATH: url.path,
    }
    if resends:
        attributes[http_attributes.HTTP_REQUEST_RESEND_COUNT] = resends
    with _tracer.start_as_current_span(request.method, kind=SpanKind.CLIENT, attributes=attributes) as span:
        yield span


def _record(span: Span, status: str) -> None:
    if not span.is_recording():
        return
    if status.isdigit():
        span.set_attribute(http_attributes.HTTP_RESPONSE_STATUS_CODE, int(status))
    if not status.isdigit() or int(status) >= 400:
        span.set_attribute(error_attributes.ERROR_TYPE, status)
        span.set_status(StatusCode.ERROR)


def words_of(error: Exception) -> str:
    """What went wrong; several of httpx's errors have no text of their own."""
    return f"{type(error).__name__} {error}".strip()
