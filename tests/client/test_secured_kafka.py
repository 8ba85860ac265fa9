"""Publishing, bulk writing and reading receipts over each way in which Kafka is secured."""

import asyncio
import logging
import time
from functools import partial
from typing import Any

import pytest
from msgspec.structs import replace

from sandbox.kafka.cluster import LocalKafka
from sandbox.kafka.security import Security
from sluice.client.bulk import bulk
from sluice.client.connection import Connection
from sluice.client.outcomes import outcomes
from sluice.client.publisher import Publisher
from sluice.kafka.clients import KafkaUnreachable
from sluice.kafka.settings import KafkaSettings, TlsSettings
from sluice.setting_types import Secret
from sluice.settings_file import SettingsError
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


async def test_a_wrong_password_is_raised_with_what_to_do(local_kafka: LocalKafka, prefix: str) -> None:
    kafka = secured_settings(local_kafka, SHORT_LIVED)
    assert kafka.sasl is not None
    wrong = replace(kafka, sasl=replace(kafka.sasl, password=Secret("hunter2")))
    connection = Connection(kafka=wrong, topic_prefix=prefix)
    handles: list[Any] = [
        Publisher("crm", connection),
        outcomes("crm", connection),
        bulk("crm", connection, object="o"),
    ]
    for opening in handles:
        with pytest.raises(KafkaUnreachable, match=r"it refuses the login of 'sluice' .* correct kafka\.sasl"):
            await opening.__aenter__()


async def test_a_missing_file_is_raised_before_anything_is_opened() -> None:
    connection = Connection(
        kafka=KafkaSettings(bootstrap_servers="k:1", tls=TlsSettings(ca_file="/nonexistent/ca.pem"))
    )
    makers: list[Any] = [Publisher, outcomes, partial(bulk, object="o")]
    for make in makers:
        with pytest.raises(SettingsError, match=r"kafka\.tls\.ca_file: cannot read /nonexistent/ca\.pem"):
            make("crm", connection)


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
