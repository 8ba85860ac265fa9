"""Trace context in headers: what counts, and what is sent along."""

import pytest

from sluice.telemetry.traceparent import current_traceparent, sampled_traceparent, span_context

SAMPLED = b"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
NOT_SAMPLED = b"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00"
TRACE_ID = 0x0AF7651916CD43DD8448EB211C80319C
SPAN_ID = 0xB7AD6B7169203331


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        pytest.param((("traceparent", SAMPLED),), SAMPLED, id="sampled"),
        pytest.param((("a", b"b"), ("traceparent", SAMPLED)), SAMPLED, id="after another header"),
        pytest.param((("traceparent", SAMPLED[:-2] + b"03"),), SAMPLED[:-2] + b"03", id="sampled and random"),
        pytest.param((("traceparent", SAMPLED[:-2] + b"0b"),), SAMPLED[:-2] + b"0b", id="an odd letter is sampled"),
        pytest.param((("traceparent", SAMPLED[:-2] + b"0a"),), None, id="an even letter is not"),
        pytest.param((("traceparent", NOT_SAMPLED),), None, id="not sampled"),
        pytest.param((), None, id="no headers"),
        pytest.param((("Traceparent", SAMPLED),), None, id="names are exact"),
        pytest.param((("traceparent", b""),), None, id="empty"),
        pytest.param((("traceparent", None),), None, id="null"),
        pytest.param((("traceparent", SAMPLED.upper()),), None, id="upper case"),
        pytest.param((("traceparent", SAMPLED[1:]),), None, id="too short"),
        pytest.param((("traceparent", SAMPLED + b"-01"),), None, id="too long"),
        pytest.param((("traceparent", b"ff" + SAMPLED[2:]),), None, id="a version that does not exist"),
        pytest.param((("traceparent", b"00-" + b"0" * 32 + SAMPLED[35:]),), None, id="trace id of zeros"),
        pytest.param((("traceparent", SAMPLED[:36] + b"0" * 16 + b"-01"),), None, id="span id of zeros"),
        pytest.param((("traceparent", SAMPLED.replace(b"-b7", b"-_7")),), None, id="not hexadecimal"),
        pytest.param((("traceparent", b"\xff" * 54 + b"1"),), None, id="not even text"),
    ],
)
def test_well_formed_sampled_traceparents_count(headers: tuple[tuple[str, bytes], ...], expected: bytes | None) -> None:
    assert sampled_traceparent(headers) == expected


def test_a_span_context_is_read_from_its_header() -> None:
    context = span_context(SAMPLED)
    assert (context.trace_id, context.span_id) == (TRACE_ID, SPAN_ID)
    assert context.is_remote
    assert context.trace_flags.sampled


def test_outside_of_any_span_there_is_nothing_to_send_along() -> None:
    assert current_traceparent() is None
