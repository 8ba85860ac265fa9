"""The OTLP receiver, fed by the real exporter."""

import asyncio
import gzip
from collections.abc import AsyncIterator

import httpx
import pytest
import pytest_asyncio
from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http import Compression
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.util.types import AnyValue

from sandbox.control import SandboxControl
from sandbox.otlp.receiver import OtlpReceiver
from sandbox.serving.app import App
from sandbox.serving.server import serve

PROTOBUF = {"content-type": "application/x-protobuf"}
GZIP = {**PROTOBUF, "content-encoding": "gzip"}


@pytest_asyncio.fixture(name="url")
async def _url() -> AsyncIterator[str]:
    async with serve(App(OtlpReceiver())) as found:
        yield found


@pytest_asyncio.fixture(name="control")
async def _control(url: str) -> AsyncIterator[SandboxControl]:
    async with SandboxControl(url) as found:
        yield found


def _export(url: str, service: str, compression: Compression) -> None:
    provider = TracerProvider(resource=Resource({"service.name": service}))
    exporter = OTLPSpanExporter(endpoint=f"{url}/v1/traces", compression=compression)
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    tracer = provider.get_tracer("test")
    with tracer.start_as_current_span("parent", kind=trace.SpanKind.PRODUCER) as parent:
        links = [trace.Link(parent.get_span_context())]
        attributes: dict[str, AnyValue] = {"text": "a", "number": 1, "ratio": 0.5, "yes": True, "list": ["a", "b"]}
        with tracer.start_as_current_span("child", links=links, attributes=attributes) as child:
            child.set_status(trace.StatusCode.ERROR)
    provider.shutdown()


@pytest.mark.parametrize("compression", [Compression.NoCompression, Compression.Gzip])
async def test_spans_come_back_as_they_were_made(url: str, control: SandboxControl, compression: Compression) -> None:
    await asyncio.to_thread(_export, url, "writer", compression)
    child, parent = await control.spans()
    assert (child.trace_id, child.parent_span_id) == (parent.trace_id, parent.span_id)
    assert (parent.name, parent.kind, parent.service, parent.parent_span_id) == ("parent", "PRODUCER", "writer", "")
    assert child.attributes == {"text": "a", "number": 1, "ratio": 0.5, "yes": True, "list": ["a", "b"]}
    assert [(link.trace_id, link.span_id) for link in child.links] == [(parent.trace_id, parent.span_id)]
    assert (child.status, parent.status) == ("ERROR", "UNSET")
    assert parent.start_ns <= child.start_ns <= child.end_ns <= parent.end_ns


async def test_spans_are_found_by_trace_service_and_name(url: str, control: SandboxControl) -> None:
    for service in ("writer", "tracker"):
        await asyncio.to_thread(_export, url, service, Compression.NoCompression)
    first = (await control.spans(service="writer"))[0]
    assert [span.service for span in await control.spans(trace_id=first.trace_id)] == ["writer"] * 2
    assert [span.service for span in await control.spans(name="child")] == ["writer", "tracker"]
    assert await control.spans(service="writer", name="nothing") == []


async def test_cleared_spans_are_gone(url: str, control: SandboxControl) -> None:
    await asyncio.to_thread(_export, url, "writer", Compression.NoCompression)
    assert (await control.state()) == {"spans": 2}
    await control.clear_spans()
    assert await control.spans() == []


@pytest.mark.parametrize(
    ("headers", "body", "status"),
    [
        pytest.param({"content-type": "application/json"}, b"{}", 415, id="JSON"),
        pytest.param(PROTOBUF, b"\xff", 400, id="no protobuf"),
        pytest.param(GZIP, b"\xff", 400, id="no gzip"),
        pytest.param(GZIP, gzip.compress(bytes(80 * 2**20)), 400, id="a gzip bomb"),
        pytest.param({**PROTOBUF, "content-encoding": "br"}, b"", 415, id="another encoding"),
    ],
)
async def test_what_is_no_trace_is_refused(url: str, headers: dict[str, str], body: bytes, status: int) -> None:
    async with httpx.AsyncClient(base_url=url, trust_env=False, verify=False) as http:
        assert (await http.post("/v1/traces", content=body, headers=headers)).status_code == status


async def test_a_trace_id_that_is_no_hexadecimal_is_refused(control: SandboxControl) -> None:
    with pytest.raises(httpx.HTTPStatusError, match="expected trace_id as hexadecimal"):
        await control.spans(trace_id="xyz")
