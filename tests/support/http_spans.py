"""Program that prints the spans of three writes as JSON: after a new token, lost, and outside of any span."""

import asyncio
import json
import sys
from contextlib import suppress

import httpx
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from sluice.destinations.contract import Ambiguous
from sluice.destinations.http import send
from sluice.destinations.oauth import TokenAuth
from tests.destinations.http_server import client

EXPORTER = InMemorySpanExporter()


async def main() -> None:
    tokens = iter(["old", "new"])

    def answer(request: httpx.Request) -> httpx.Response:
        if request.url.path == "/token":
            return httpx.Response(200, json={"access_token": next(tokens)})
        if request.content == b"lost":
            raise httpx.ReadError("gone")
        return httpx.Response(401 if request.headers["authorization"] == "Bearer old" else 200)

    async with client("https://vendor.test", auth=TokenAuth("https://vendor.test/token", {}), handler=answer) as http:
        with trace.get_tracer("test").start_as_current_span("process"):
            await send(http, http.build_request("PUT", "/groups", params={"secret": "s"}))
            with suppress(Ambiguous):
                await send(http, http.build_request("PUT", "/groups", content=b"lost"))
        await send(http, http.build_request("PUT", "/groups"))


provider = TracerProvider()
provider.add_span_processor(SimpleSpanProcessor(EXPORTER))
trace.set_tracer_provider(provider)
asyncio.run(main())
*attempts, process = EXPORTER.get_finished_spans()
for span in attempts:
    assert span.parent is not None
    assert span.parent.span_id == process.context.span_id
json.dump([[s.name, s.kind.name, s.status.status_code.name, dict(s.attributes or {})] for s in attempts], sys.stdout)
