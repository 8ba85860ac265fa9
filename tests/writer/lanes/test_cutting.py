"""Cutting: parts go in a fixed order, the trace context stays, and headers say what is missing."""

from collections.abc import Sequence

import pytest

from sluice.events import Header, Headers, Place, SucceededEvent, encode_event
from sluice.headers import cut_parts, original_place
from sluice.kafka.sending import Message
from sluice.writer.lanes.cutting import LETTER_PARTS, RECEIPT_PARTS, RETRY_PARTS, Whole, fit, message_bytes, whole_of
from tests.support.factories import NOON

AT = Place(topic="crm.records", partition=3, offset=42)
LARGE = b"x" * 10_000
TRACE: Headers = [("traceparent", b"00-1"), ("tracestate", b"a=1")]
OURS: Headers = [(str(Header.ATTEMPT), b"1")]


def _receipt(key: str) -> bytes:
    return encode_event(
        SucceededEvent(
            event_id="e",
            object="o",
            operation="upsert",
            key=key,
            outcome="delivered",
            status="OK",
            batch_id="b",
            source=AT,
            occurred_at=NOON,
            settled_at=NOON,
        )
    )


@pytest.mark.parametrize(
    ("message", "parts", "cut"),
    [
        pytest.param(Message(b"k", b"v", [("app", b"1")]), LETTER_PARTS, (), id="nothing while it fits"),
        pytest.param(Message(b"k", b"v", [("app", LARGE)]), LETTER_PARTS, ("headers",), id="headers first"),
        pytest.param(
            Message(b"k", LARGE, [("app", b"1")]), LETTER_PARTS, ("headers", "payload"), id="then the payload"
        ),
        pytest.param(
            Message(LARGE, b"v", [("app", b"1")]), LETTER_PARTS, ("headers", "payload", "key"), id="then the key"
        ),
        pytest.param(Message(LARGE, _receipt("k"), []), RECEIPT_PARTS, ("key",), id="a receipt's key"),
        pytest.param(
            Message(b"k", _receipt("k" * 9999), []), RECEIPT_PARTS, ("key", "event-key"), id="its event's key"
        ),
    ],
)
def test_parts_are_cut_until_the_rest_fits(message: Message, parts: Sequence[str], cut: Sequence[str]) -> None:
    fitting = fit(message, 1000, parts, Whole(AT))  # type: ignore[arg-type]
    assert message_bytes(fitting) <= 1000
    assert (cut_parts(fitting.headers), original_place(fitting.headers)) == (cut, AT if cut else None)
    if not cut:
        assert fitting == message


def test_trace_context_and_our_headers_stay() -> None:
    fitting = fit(Message(b"k", b"v", [("app", LARGE), *OURS, *TRACE]), 1000, LETTER_PARTS, Whole(AT))
    assert fitting.headers[:3] == [*TRACE, *OURS]


def test_last_of_several_trace_contexts_stays_unless_it_is_too_large() -> None:
    headers = [("traceparent", b"00-0"), ("traceparent", b"00-1"), ("tracestate", LARGE)]
    assert fit(Message(b"k", b"v", headers), 1000, LETTER_PARTS, Whole(AT)).headers[0] == ("traceparent", b"00-1")


def test_headers_that_somebody_has_written_in_our_name_are_cut_where_they_are_too_large() -> None:
    forged = [(str(Header.ATTEMPT), LARGE), ("sluice.other", b"1")]
    headers = fit(Message(b"k", b"v", forged), 1000, RECEIPT_PARTS, Whole(AT)).headers
    assert [name for name, _ in headers] == [Header.CUT, Header.ORIGINAL_AT]


def test_retry_keeps_its_key_and_payload_although_it_does_not_fit() -> None:
    message = fit(Message(b"k", LARGE, [("app", LARGE)]), 1000, RETRY_PARTS, Whole(AT))
    assert (message.key, message.value, cut_parts(message.headers)) == (b"k", LARGE, ("headers",))


@pytest.mark.parametrize(
    ("headers", "is_retry", "whole"),
    [
        pytest.param([], True, Whole(AT), id="a retry that is whole"),
        pytest.param(
            [("sluice.cut", b"headers"), ("sluice.original-at", b"t/1/2")],
            True,
            Whole(Place(topic="t", partition=1, offset=2), ("headers",)),
            id="a retry that was cut",
        ),
        pytest.param([("sluice.cut", b"headers"), ("sluice.original-at", b"t")], True, Whole(AT), id="no place"),
        pytest.param([("sluice.cut", b"headers"), ("sluice.original-at", b"t/1/2")], False, Whole(AT), id="a record"),
    ],
)
def test_where_a_message_is_whole(headers: Headers, is_retry: bool, whole: Whole) -> None:
    assert whole_of(headers, AT, is_retry=is_retry) == whole
