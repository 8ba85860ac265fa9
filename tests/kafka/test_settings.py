"""Addresses of brokers that cannot be any are refused before a client tries them."""

import pytest

from sluice.kafka.settings import KafkaSettings


@pytest.mark.parametrize("servers", ["kafka", "kafka_1:9092, kafka_2:9092", "10.0.0.1:1", "[::1]:9092", "a.b.:65535"])
def test_addresses_of_brokers_are_taken(servers: str) -> None:
    assert KafkaSettings(bootstrap_servers=servers).bootstrap_servers == servers


@pytest.mark.parametrize(
    "servers",
    [
        pytest.param("", id="none"),
        pytest.param(",", id="a comma"),
        pytest.param("kafka:abc", id="a word for a port"),
        pytest.param("kafka:65536", id="a port out of range"),
        pytest.param("kafka:-1", id="a negative port"),
        pytest.param("kafka:0", id="port 0"),
        pytest.param("[::1:9092", id="half an IPv6 address"),
        pytest.param("kaf ka:9092", id="a host with a space"),
        pytest.param(f"{'k' * 64}:9092", id="a host too long for DNS"),
        pytest.param("a..b:9092", id="a host with an empty part"),
        pytest.param("kåfka:9092", id="a host beyond ASCII"),
        pytest.param("a:9092,,b:9092", id="an empty one of several"),
    ],
)
def test_other_addresses_are_refused(servers: str) -> None:
    with pytest.raises(
        ValueError, match=r"kafka\.bootstrap_servers: expected host:port of a broker, or several .*got '"
    ):
        KafkaSettings(bootstrap_servers=servers)
