"""The bulk handler without ``await``, against a real Kafka and a writer without a vendor."""

import asyncio
import threading
from typing import Any

import pytest

from sluice.client.bulk_sync import bulk_sync
from sluice.client.connection import Connection
from sluice.kafka.clients import KafkaUnreachable
from sluice.kafka.settings import KafkaSettings
from tests.support.fake_writer import RejectBadUntilRepaired, fake_writer


async def test_synchronous_twin_does_the_same(connection: Connection) -> None:
    decide = RejectBadUntilRepaired()

    def script() -> Any:
        with bulk_sync("crm", connection, object="o", create=True) as handler:
            handler.write("a", {"name": "good"})
            handler.write("b", {"name": "bad"})
            first = handler.flush()
        decide.repaired = True
        return first, handler.retry()

    async with fake_writer(connection, decide):
        first, second = await asyncio.to_thread(script)
    assert (len(first.successful), len(first.failed)) == (1, 1)
    assert (len(second.successful), len(second.failed)) == (2, 0)


def test_synchronous_twin_leaves_no_thread_when_kafka_does_not_answer() -> None:
    connection = Connection(kafka=KafkaSettings(bootstrap_servers="localhost:1"))
    with pytest.raises(KafkaUnreachable), bulk_sync("crm", connection, object="o"):
        pass
    assert "sluice-bulk" not in {thread.name for thread in threading.enumerate()}
