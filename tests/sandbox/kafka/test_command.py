"""Command ``python -m sandbox kafka``: its brokers end with it."""

import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest
import yaml

from sluice.kafka.settings import KafkaSettings
from sluice.settings_file import convert

# A process that starts the command as a shell or a test would, and shares its standard output with it.
_PARENT = "import subprocess, sys; subprocess.run([sys.executable, '-m', 'sandbox', 'kafka', '--json'])"


@pytest.mark.parametrize(
    ("victim", "signum"),
    [
        pytest.param("parent", signal.SIGKILL, id="its parent is killed"),
        pytest.param("command", signal.SIGKILL, id="it is killed"),
        pytest.param("command", signal.SIGTERM, id="it is asked to end"),
    ],
)
def test_command_leaves_nothing_when(victim: str, signum: int) -> None:
    parent = subprocess.Popen([sys.executable, "-c", _PARENT], stdout=subprocess.PIPE, text=True)
    assert parent.stdout
    with parent:
        started = json.loads(parent.stdout.readline())
        family = {"parent": psutil.Process(parent.pid)}
        family["command"], *brokers = family["parent"].children(recursive=True)
        assert {process.pid for process in brokers} >= set(started["pids"])

        family[victim].send_signal(signum)
        assert parent.stdout.read() == ""  # one line and no more, then the end of the command
        _wait_until(lambda: not any(process.is_running() for process in brokers))
        _wait_until(lambda: not Path(started["logs"][0]).parent.parent.exists())


def test_command_prints_how_a_secured_listener_is_reached() -> None:
    command = [sys.executable, "-m", "sandbox", "kafka", "--tls", "--client-certificate", "--sasl", "SCRAM-SHA-512"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        address, settings = process.stdout.readline(), yaml.safe_load(process.stdout.readline())
        process.terminate()
    kafka = convert(settings["kafka"], KafkaSettings, "printed")
    assert kafka.bootstrap_servers not in address
    assert kafka.tls is not None
    assert kafka.tls.key_password is not None
    assert kafka.sasl is not None


def _wait_until(claim: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while not claim():
        assert time.monotonic() < deadline
        time.sleep(0.02)
