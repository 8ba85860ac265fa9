"""``sluice check``: each stage is printed, and the first that fails decides the exit code."""

import asyncio
from pathlib import Path

import pytest
from aiokafka import AIOKafkaProducer

from sluice.cli.exits import Exit
from sluice.topics import topics_of
from tests.cli.conftest import Run, success
from tests.support.kafka_admin import RunningKafka, create_topics

SECRET = {"CRM_SECRET": "s3cret"}


def lines(output: str) -> list[str]:
    return [line.split(":")[0] for line in output.splitlines()]


def test_settings_come_first(settings: Path, run: Run) -> None:
    result = run("check")
    assert result.exit_code == Exit.SETTINGS
    assert result.stdout == ""
    assert "✗ settings: sluice.yaml: ${env:CRM_SECRET} is not set; set the environment variable" in result.stderr


def test_kafka_comes_second(settings: Path, run: Run) -> None:
    result = run("check", env=SECRET)
    assert result.exit_code == Exit.KAFKA
    assert lines(result.stdout) == ["✓ settings"]
    assert "✗ Kafka: Kafka cannot be reached at localhost:1" in result.stderr


def test_topics_come_third_and_destinations_last(no_topics: str, run: Run) -> None:
    result = run("check", env=SECRET)
    assert result.exit_code == Exit.TOPICS
    assert lines(result.stdout) == ["✓ settings", "✓ Kafka"]
    assert "✗ topics of crm: Kafka has no topic" in result.stderr
    success(run("topics", "create", "crm", "--partitions", "1"))
    result = run("check", env=SECRET)
    assert result.exit_code == Exit.DESTINATION
    assert lines(result.stdout) == ["✓ settings", "✓ Kafka", "✓ topics of crm"]
    assert "✗ destination crm: http://localhost:1 cannot be used" in result.stderr


def test_records_that_another_partitioner_has_placed_are_a_warning(
    kafka: RunningKafka, no_topics: str, run: Run
) -> None:
    success(run("topics", "create", "crm", "--partitions", "2"))
    records = topics_of("crm", no_topics).records

    async def publish() -> None:
        async with AIOKafkaProducer(bootstrap_servers=kafka.bootstrap_servers) as producer:
            await producer.send_and_wait(records, b"{}", b"acme8", 1)
            await producer.send_and_wait(records, b"{}", b"acme5", 1)

    asyncio.run(publish())
    result = run("check", env=SECRET)
    assert lines(result.stdout) == ["✓ settings", "✓ Kafka", "✓ topics of crm"]
    assert "! records of crm: 1 record of the newest on a wrong partition, such as 1/1: " in result.stderr
    assert "partitioner=murmur2_random" in result.stderr
    assert result.exit_code == Exit.DESTINATION  # it stops nothing: the next stage is checked


@pytest.mark.parametrize("by_option", [True, False], ids=["--config", "SLUICE_CONFIG"])
def test_settings_file_can_be_named(settings: Path, run: Run, by_option: bool) -> None:
    elsewhere = str(settings.rename(settings.with_name("other.yaml")))
    result = run("--config", elsewhere, "check") if by_option else run("check", env={"SLUICE_CONFIG": elsewhere})
    assert "other.yaml: ${env:CRM_SECRET} is not set" in result.stderr


def test_unequal_partition_counts_are_told(kafka: RunningKafka, no_topics: str, run: Run) -> None:
    records, *others = topics_of("crm", no_topics).all
    asyncio.run(create_topics(kafka.bootstrap_servers, [records], partitions=3))
    asyncio.run(create_topics(kafka.bootstrap_servers, others, partitions=2))
    for command in (("check",), ("topics", "ls", "crm"), ("topics", "create", "crm")):
        result = run(*command, env=SECRET)
        assert result.exit_code == Exit.TOPICS
        assert "expected the same number of partitions in every topic" in result.stderr
        assert f"{records} has 3, {others[0]} has 2" in result.stderr
