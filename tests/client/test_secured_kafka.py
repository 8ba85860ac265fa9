"""Publishing, bulk writing and reading receipts over each way in which Kafka is secured."""

import asyncio
import logging
import time

import pytest

from sandbox.kafka.cluster import LocalKafka
from sandbox.kafka.security import Security
from sluice.client.bulk import bulk
from sluice.client.connection import Connection
from sluice.client.outcomes import outcomes
from sluice.client.publisher import Publisher
from tests.support.fake_writer import fake_writer
from tests.support.kafka_admin import RunningKafka
from tests.support.secured import EACH_SECURED, SHORT_LIVED, secured_settings
from tests.support.topics import crm_topics, take_receipts


async def _connections(kafka: LocalKafka, security: Security, prefix: str) -> tuple[Connection, Connection]:
    """Return a plain connection, for what is not under test, and a secured one to the same topics."""
    plain = await crm_topics(RunningKafka(kafka.bootstrap_servers), prefix)
    return plain, Connection(kafka=secured_settings(kafka, security), topic_prefix=prefix, destinations=("crm",))


@pytest.mark.parametrize("security", EACH_SECURED)
async def test_bulk_publishes_and_reads_receipts(local_kafka: LocalKafka, security: Security, prefix: str) -> None:
    plain, secured = await _connections(local_kafka, security, prefix)
    async with fake_writer(plain), bulk("crm", secured, object="o", create=True) as handler:
        for number in range(20):
            handler.write(f"c-{number}", {"name": "x"})
    assert (len(handler.result.successful), handler.result.open) == (20, 0)


async def test_clients_outlive_their_logins_without_loss_or_a_word(
    local_kafka: LocalKafka, prefix: str, caplog: pytest.LogCaptureFixture
) -> None:
    plain, secured = await _connections(local_kafka, SHORT_LIVED, prefix)
    end_at_s = time.monotonic() + 2.5 * SHORT_LIVED.reauthenticate_ms / 1000
    ids: list[str] = []
    with caplog.at_level(logging.WARNING):
        async with (
            fake_writer(plain),
            outcomes("crm", secured, group_id=f"{prefix}readers") as receipts,
            Publisher("crm", secured) as publisher,
        ):
            while time.monotonic() < end_at_s:
                ids.append(await publisher.publish(object="o", operation="upsert", key=str(len(ids)), data={}))
                await asyncio.sleep(0.02)
            await publisher.flush()
            found = await take_receipts(receipts, len(ids))
    assert sorted(receipt.event.event_id for receipt in found if receipt.event) == sorted(ids)
    assert [record.getMessage() for record in caplog.records if record.name.startswith("aiokafka")] == []
