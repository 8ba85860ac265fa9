"""A payload that was too large for the dead-letters topic is read where it stands."""

from aiokafka import AIOKafkaProducer

from sluice.client.connection import Connection
from tests.support.letters import Letter, bury, read_records, redrive


async def test_payload_that_stands_elsewhere_is_fetched(connection: Connection) -> None:
    records = connection.topics("crm").records
    payload = Letter(data={"text": "x" * 200_000}).message(records).value
    async with AIOKafkaProducer(bootstrap_servers=connection.kafka.bootstrap_servers) as producer:
        place = await producer.send_and_wait(records, payload, b"c-1", 0)
    await bury(connection, [Letter("a", payload_at=f"{records}/0/{place.offset}")])
    await bury(connection, [Letter("b", payload_at=f"{records}/0/99"), Letter("c", payload_at="records")])
    result = await redrive(connection)
    assert [record.value for record in await read_records(connection)] == [payload, payload]
    assert [refusal.reason.split(";")[0] for refusal in result.refusals] == [
        f"its payload stood at {records}/0/99, and retention has taken it",
        "expected topic/partition/offset in sluice.payload-at, got 'records'",
    ]
