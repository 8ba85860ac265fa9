"""Parts of a letter that were too large for the dead-letters topic are read where they stand."""

from collections.abc import Sequence

import pytest
from aiokafka import AIOKafkaProducer

from sluice.client.connection import Connection
from sluice.events import Headers, encode_event
from tests.support.factories import record
from tests.support.letters import TRACEPARENT, Letter, bury, read_records, redrive

KEY, HEADERS = b"k" * 2000, [("app", b"1" * 2000), TRACEPARENT]


async def _publish(
    connection: Connection, value: bytes, key: bytes = b"c-1", headers: Sequence[tuple[str, bytes]] = ()
) -> str:
    """Publish an original; return its place as letters name it."""
    records = connection.topics("crm").records
    async with AIOKafkaProducer(bootstrap_servers=connection.kafka.bootstrap_servers) as producer:
        written = await producer.send_and_wait(records, value, key, 0, headers=list(headers))
    return f"{records}/0/{written.offset}"


async def test_payload_that_stands_elsewhere_is_fetched(connection: Connection) -> None:
    records = connection.topics("crm").records
    payload = encode_event(record(data={"text": "x" * 200_000}))
    await bury(connection, [Letter("a", payload_at=await _publish(connection, payload))])
    await bury(connection, [Letter("b", payload_at=f"{records}/0/99"), Letter("c", payload_at="records")])
    result = await redrive(connection)
    assert [record.value for record in await read_records(connection)] == [payload, payload]
    assert [refusal.reason.split(";")[0] for refusal in result.refusals] == [
        f"its original stood at {records}/0/99, and retention has taken it",
        "expected topic/partition/offset in sluice.original-at, got 'records'",
    ]


@pytest.mark.parametrize(
    ("cut", "key", "foreign"),
    [
        pytest.param("headers,payload,key", KEY, HEADERS, id="all"),
        pytest.param("payload", b"c-1", [TRACEPARENT, ("app", b"\xff")], id="its payload alone"),
        pytest.param("headers", b"c-1", HEADERS, id="its headers alone"),
    ],
)
async def test_redriven_record_has_again_what_was_cut(
    connection: Connection, cut: str, key: bytes, foreign: Headers
) -> None:
    payload = encode_event(record(key="c-1", event_id="e-c-1"))
    place = await _publish(connection, payload, KEY, [*HEADERS, ("sluice.attempt", b"1")])
    await bury(connection, [Letter(cut=cut, original_at=place)])
    assert (await redrive(connection)).sent == 1
    redriven = (await read_records(connection))[-1]
    assert (redriven.key, redriven.value) == (key, payload)
    assert [header for header in redriven.headers if not header[0].startswith("sluice.")] == foreign


async def test_record_is_redriven_without_headers_that_retention_has_taken(connection: Connection) -> None:
    gone = f"{connection.topics('crm').records}/0/99"
    await bury(connection, [Letter(cut="headers", original_at=gone), Letter(cut="headers,key", original_at=gone)])
    result = await redrive(connection)
    assert (result.sent, result.refused) == (1, 1)
