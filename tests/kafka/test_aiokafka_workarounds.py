"""On uvloop a connection that was lost a moment ago says so in aiokafka's own words."""

import subprocess
import sys

import pytest
import uvloop
from aiokafka.conn import create_conn
from aiokafka.errors import KafkaConnectionError
from aiokafka.protocol.admin import ApiVersionRequest

from sluice.kafka.aiokafka_workarounds import use_on_uvloop
from tests.support.kafka_admin import RunningKafka
from tests.support.paths import ROOT


async def _write_to_a_lost_connection(servers: str) -> None:
    host, _, port = servers.partition(":")
    connection = await create_conn(host, int(port))
    lost = connection._closed_fut
    connection._writer.transport.abort()
    await lost  # as the transport knows it; aiokafka's reader has yet to be told
    with pytest.raises(KafkaConnectionError):
        connection.send(ApiVersionRequest())
    assert not connection.connected()


def test_a_write_to_a_lost_connection_is_a_connection_error(kafka: RunningKafka) -> None:
    """In a process of its own: which connections aiokafka makes is decided once for a process."""
    command = [sys.executable, "-m", "tests.kafka.test_aiokafka_workarounds", kafka.bootstrap_servers]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr


if __name__ == "__main__":
    use_on_uvloop()
    uvloop.run(_write_to_a_lost_connection(sys.argv[1]))
