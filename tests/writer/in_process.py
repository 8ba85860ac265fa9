"""A writer in this process, and topics for it."""

import uuid

from aiokafka import AIOKafkaProducer

from sluice.client.connection import Connection
from sluice.destinations.contract import Account
from sluice.kafka.topic_admin import admin_client, create_topics
from sluice.settings import DestinationEntry, Settings
from sluice.telemetry.health import Heartbeat
from sluice.telemetry.metrics import WriterMetrics
from sluice.writer.writer import Writer
from tests.support.factories import record_message
from tests.support.kafka_admin import RunningKafka
from tests.support.topics import crm_connection

RECORDS = 6


async def make_backlog(kafka: RunningKafka) -> Connection:
    """Make topics of one lane, with ``RECORDS`` records in them that have no receipt yet."""
    connection = crm_connection(kafka, f"writer-{uuid.uuid4().hex[:8]}.")
    async with admin_client(connection.kafka) as admin:
        await create_topics(admin, "crm", connection.topic_prefix, partitions=1)
    async with AIOKafkaProducer(bootstrap_servers=kafka.bootstrap_servers) as producer:
        for offset in range(RECORDS):
            await producer.send_and_wait(connection.topics("crm").records, record_message(offset).value)
    return connection


def make_writer(
    connection: Connection, destination: Account, entry: DestinationEntry, metrics: WriterMetrics | None = None
) -> Writer:
    settings = Settings(kafka=connection.kafka, topic_prefix=connection.topic_prefix, destinations={"crm": entry})
    return Writer(settings, "crm", destination, metrics or WriterMetrics("crm"), Heartbeat())


async def is_true(claim: bool) -> bool:
    """Return ``claim``, for those who wait until it is true."""
    return claim
