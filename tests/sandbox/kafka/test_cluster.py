"""The local Kafka with real clients and real processes."""

import asyncio
import socket
from collections import Counter
from pathlib import Path

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer

from sandbox.kafka.broker import LocalKafkaError
from sandbox.kafka.cluster import LocalKafka
from sandbox.kafka.security import Security
from tests.conftest import CreateTopics
from tests.support.kafka_admin import RunningKafka, create_topics
from tests.support.secured import connect


async def test_transaction_makes_a_round_trip(kafka: RunningKafka, create_topics: CreateTopics, prefix: str) -> None:
    await create_topics([prefix + "records"], partitions=2)
    await _publish(kafka.bootstrap_servers, prefix + "records", b"value")
    assert await _read(kafka.bootstrap_servers, prefix + "records", count=2) == [b"value", b"value"]


async def test_two_clusters_started_at_once_know_nothing_of_each_other() -> None:
    one, other = LocalKafka(), LocalKafka()
    try:
        await asyncio.gather(asyncio.to_thread(one.start), asyncio.to_thread(other.start))
        await create_topics(one.bootstrap_servers, ["same-name"])
        await create_topics(other.bootstrap_servers, ["same-name"])
        await _publish(one.bootstrap_servers, "same-name", b"one")
        await _publish(other.bootstrap_servers, "same-name", b"other")
        assert await _read(one.bootstrap_servers, "same-name", count=1) == [b"one"]
        assert one.cluster_id != other.cluster_id
    finally:
        one.stop()
        other.stop()


async def test_kept_data_survives_a_restart(tmp_path: Path) -> None:
    with LocalKafka(data=tmp_path) as kafka:
        cluster_id = kafka.cluster_id
        await create_topics(kafka.bootstrap_servers, ["records"])
        await _publish(kafka.bootstrap_servers, "records", b"kept")
        with pytest.raises(LocalKafkaError, match="in use by another local Kafka"):
            LocalKafka(data=tmp_path).start()
    with pytest.raises(LocalKafkaError, match=r"holds the data of 1 broker\(s\), but 3 were asked for"):
        LocalKafka(data=tmp_path, brokers=3).start()
    login = Security(sasl="SCRAM-SHA-256")
    with LocalKafka(data=tmp_path, secured=[login]) as kafka:
        assert kafka.cluster_id == cluster_id
        assert await _read(kafka.bootstrap_servers, "records", count=1) == [b"kept"]
        await connect(kafka, login)  # the user was made with the data


async def test_three_brokers_survive_the_loss_of_one() -> None:
    login = Security(tls=True, sasl="SCRAM-SHA-512")
    with LocalKafka(brokers=3, heap_mb=256, secured=[login]) as kafka:
        await create_topics(kafka.bootstrap_servers, ["records"], partitions=3)
        await _publish(kafka.bootstrap_servers, "records", b"before")
        kafka.broker(1).kill()
        await _publish(kafka.bootstrap_servers, "records", b"without")
        await asyncio.to_thread(kafka.broker(1).start)
        await _publish(kafka.bootstrap_servers, "records", b"after")
        # Asked of the restarted broker: it has its port and its place back.
        values = await _read(f"localhost:{kafka.broker(1).port}", "records", count=9)
        for node in range(3):
            await connect(kafka, login, node)
    assert Counter(values) == {b"before": 3, b"without": 3, b"after": 3}


def test_refused_setting_is_told_in_kafkas_words() -> None:
    with pytest.raises(LocalKafkaError, match=r"Invalid value many for configuration num\.partitions"):
        LocalKafka(settings={"num.partitions": "many"}).start()


def test_port_that_is_taken_is_named() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(LocalKafkaError, match=f"127.0.0.1:{port}: Address already in use"):
            LocalKafka(port=port).start()


async def _publish(bootstrap_servers: str, topic: str, value: bytes) -> None:
    """Publish into every partition, in one transaction."""
    producer = AIOKafkaProducer(bootstrap_servers=bootstrap_servers, transactional_id="publisher")
    async with producer, producer.transaction():
        for partition in await producer.partitions_for(topic):
            await producer.send_and_wait(topic, value, partition=partition)


async def _read(bootstrap_servers: str, topic: str, *, count: int) -> list[bytes]:
    consumer = AIOKafkaConsumer(
        topic,
        bootstrap_servers=bootstrap_servers,
        group_id=f"readers of {topic}",
        auto_offset_reset="earliest",
        isolation_level="read_committed",
    )
    async with consumer, asyncio.timeout(30):
        return [(await consumer.getone()).value for _ in range(count)]
