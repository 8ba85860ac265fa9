"""The endpoints ``POST /v1/traces``, as in an OpenTelemetry collector, and ``/_sandbox/spans``, to read spans back.

OTLP/HTTP 1.x with binary protobuf, plain or gzip; other encodings get 415.
"""

import zlib
from collections.abc import Sequence

from google.protobuf.message import DecodeError  # type: ignore[import-untyped]
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)

from sandbox.http.messages import Request, Response, as_json
from sandbox.http.routing import Route
from sandbox.ledger.ledger import Ledger
from sandbox.otlp.spans import Spans
from sandbox.vendor import Vendor

_PROTOBUF = "application/x-protobuf"
_MAX_BYTES = 64 * 2**20


class OtlpReceiver(Vendor):
    """Receiver that keeps the spans of all exporters."""

    name = "otlp"

    def __init__(self) -> None:
        super().__init__(Ledger(mode="counts"))
        self.spans = Spans()
        self.routes: Sequence[Route] = [
            Route("POST", "/v1/traces", self._receive),
            Route("GET", "/_sandbox/spans", self._show),
            Route("DELETE", "/_sandbox/spans", self._clear),
        ]

    def unrouted(self, allowed: tuple[str, ...]) -> Response:
        return Response(status=405 if allowed else 404)

    def expire_tokens(self) -> int:
        return 0

    def state(self) -> dict[str, object]:
        return {"spans": len(self.spans)}

    def reset(self) -> None:
        self.spans.clear()

    def _receive(self, request: Request) -> Response:
        encoding = request.header("content-encoding") or "identity"
        if request.header("content-type") != _PROTOBUF or encoding not in ("identity", "gzip"):
            return Response(status=415)
        try:
            body = _gunzipped(request.body) if encoding == "gzip" else request.body
            export = ExportTraceServiceRequest.FromString(body)
        except (DecodeError, zlib.error, ValueError) as error:
            return as_json({"message": f"expected an ExportTraceServiceRequest; {error}"}, status=400)
        self.spans.add(export)
        answer = ExportTraceServiceResponse().SerializeToString()
        return Response(status=200, body=answer, content_type=_PROTOBUF)

    def _show(self, request: Request) -> Response:
        asked = {name: request.argument(name) for name in ("trace_id", "service", "name")}
        try:
            spans = list(self.spans.find(**asked))
        except ValueError:
            problem = f"expected trace_id as hexadecimal digits; came {asked['trace_id']}"
            return as_json({"error": problem}, status=400)
        return as_json(spans)

    def _clear(self, _: Request) -> Response:
        self.spans.clear()
        return Response(status=204)


def _gunzipped(body: bytes) -> bytes:
    unpacker = zlib.decompressobj(wbits=31)
    plain = unpacker.decompress(body, _MAX_BYTES)
    if not unpacker.eof:
        raise ValueError(f"the gzip stream is cut short or holds more than {_MAX_BYTES} bytes")
    return plain
