"""Attempts at a vendor's HTTP API: each request gets a deadline, a span, figures and a last check before it leaves.

1. ``Network`` takes a connection or opens one, under httpx's own timeouts: nothing is sent yet.
2. In the last moment before the request leaves, the pre-send check runs and the deadline starts.
3. The answer is read to its end within the deadline, and within the bounds of ``answer_bodies``. That of a read with
   ``STREAMED`` is read while it comes, with a deadline for each piece, unless it is an error.
"""

import asyncio
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import cast

import httpx
from opentelemetry import trace
from opentelemetry.semconv.attributes import error_attributes, http_attributes, server_attributes, url_attributes
from opentelemetry.trace import INVALID_SPAN, Span, SpanKind, StatusCode

from sluice.destinations.answer_bodies import StreamedBody, read_answer
from sluice.destinations.contract import NoAnswer, OnRequest, PreSendCheck, RequestStatus, http_status
from sluice.destinations.http_transport import BEFORE_SENDING

PRE_SEND_CHECK = "sluice.pre-send-check"
"""Name of the request extension that holds its :data:`~sluice.destinations.contract.PreSendCheck`."""
STREAMED = "sluice.streamed"
"""Name of the request extension that holds the largest number of bytes that its body may have, and has it streamed."""


class Attempts(httpx.AsyncBaseTransport):
    """Transport that sends through another one, with a deadline, a span, and figures for ``on_request``."""

    def __init__(self, transport: httpx.AsyncBaseTransport, timeout_s: float, on_request: OnRequest | None) -> None:
        self._transport = transport
        self._timeout_s = timeout_s
        self._on_request = on_request

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send ``request`` and read the body, so that the deadline and the figures cover the whole answer."""
        started_s = time.perf_counter()
        status: RequestStatus = "cancelled"
        streamed = False
        with _span(request) as span:
            try:
                async with asyncio.timeout(None) as deadline:
                    request.extensions[BEFORE_SENDING] = self._last_moment(request, deadline)
                    response = await self._transport.handle_async_request(request)
                    max_bytes: int | None = request.extensions.get(STREAMED)
                    streamed = max_bytes is not None and response.is_success
                    if max_bytes is not None and streamed:
                        response = self._stream(response, max_bytes, started_s)
                    else:
                        response = await read_answer(response)
                status = http_status(response.status_code)
            except TimeoutError as error:
                status = "ReadTimeout"
                raise httpx.ReadTimeout(f"no complete answer within {self._timeout_s:g} s", request=request) from error
            except httpx.RequestError as error:
                status = cast(NoAnswer, type(error).__name__)
                error.request = request
                raise
            finally:
                _record(span, status)
                if not streamed:
                    self._tell(status, started_s)
        return response

    def _stream(self, response: httpx.Response, max_bytes: int, started_s: float) -> httpx.Response:
        """Return ``response`` with a body that is read later. Its span ends here, its figures with its body."""
        body = StreamedBody(
            response, max_bytes, self._timeout_s, lambda status: self._tell(cast(RequestStatus, status), started_s)
        )
        headers = [(name, value) for name, value in response.headers.multi_items() if name != "content-encoding"]
        return httpx.Response(response.status_code, headers=headers, stream=body, extensions=response.extensions)

    def _tell(self, status: RequestStatus, started_s: float) -> None:
        if self._on_request is not None:
            self._on_request(status, time.perf_counter() - started_s)

    async def aclose(self) -> None:
        await self._transport.aclose()

    def _last_moment(self, request: httpx.Request, deadline: asyncio.Timeout) -> Callable[[], None]:
        """Return what ``Network`` calls before the request leaves: it runs the check and starts ``deadline``."""
        check: PreSendCheck | None = request.extensions.get(PRE_SEND_CHECK)

        def start() -> None:
            # Opening a connection takes time in which the process can be frozen. An error raised here closes the
            # connection, and nothing is sent.
            if check is not None:
                check()
            # Not earlier: a deadline that ends while the request waits for a connection would make it ambiguous, though
            # nothing was sent.
            deadline.reschedule(asyncio.get_running_loop().time() + self._timeout_s)

        return start


_ATTEMPT = "sluice.attempt"
_tracer = trace.get_tracer("sluice.http", schema_url="https://opentelemetry.io/schemas/1.36.0")


@contextmanager
def _span(request: httpx.Request) -> Iterator[Span]:
    """Make a CLIENT span if the current span is recorded; otherwise it costs nothing.

    ``traceparent`` is not sent: the vendor is a third party and must not learn our trace ids.
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


def describe_error(error: Exception) -> str:
    """Return the error's type and text; several of httpx's errors have no text."""
    return f"{type(error).__name__} {error}".strip()
