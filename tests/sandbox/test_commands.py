"""`python -m sandbox NAME`: says where it listens, and stops when it is told to or left alone."""

import json
import os
import signal
import socket
import subprocess
import sys

import httpx
import psutil
import pytest

_STOPS_WITHIN_S = 10


def _start(*arguments: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "sandbox", *arguments]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def _first_line(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


@pytest.mark.parametrize("name", [pytest.param("blueconic", id="blueconic"), pytest.param("otlp", id="otlp")])
@pytest.mark.parametrize("number", [pytest.param(number, id=number.name) for number in (signal.SIGTERM, signal.SIGINT)])
def test_a_sandbox_says_where_it_listens_and_stops_quietly(name: str, number: signal.Signals) -> None:
    with _start(name) as process:
        said, _, url = _first_line(process).partition(" ")
        health = httpx.get(f"{url}/_sandbox/health", trust_env=False).json()
        process.send_signal(number)
        _, errors = process.communicate(timeout=_STOPS_WITHIN_S)
    assert (said, health["sandbox"]) == (name, name)
    assert (process.returncode, errors) == (0, "")


def test_as_json_it_says_the_credentials_too() -> None:
    with _start("blueconic", "--json", "--client-id", "me", "--group-type", "hotel") as process:
        found = json.loads(_first_line(process))
        form = {"grant_type": "client_credentials", "client_id": "me", "client_secret": found["client_secret"]}
        granted = httpx.post(f"{found['url']}/rest/v2/oauth/token", data=form, trust_env=False).json()
        headers = {"authorization": f"Bearer {granted['access_token']}"}
        types = httpx.get(f"{found['url']}/rest/v2/groupTypes", headers=headers, trust_env=False).json()
        process.terminate()
    assert [one["id"] for one in types["groupTypes"]] == ["company", "airport", "hotel"]


def test_it_stops_when_its_parent_dies() -> None:
    script = "import subprocess, sys; p = subprocess.Popen([sys.executable, '-m', 'sandbox', 'otlp']); input()"
    pipe = subprocess.PIPE
    with subprocess.Popen([sys.executable, "-c", script], stdin=pipe, stdout=pipe, text=True) as parent:
        _first_line(parent)
        [child] = psutil.Process(parent.pid).children()
        parent.kill()
        assert psutil.wait_procs([child], timeout=_STOPS_WITHIN_S)[1] == []


def test_a_taken_port_is_one_clear_sentence() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with _start("blueconic", "--port", str(port)) as process:
            _, errors = process.communicate(timeout=_STOPS_WITHIN_S)
    assert process.returncode == 1
    assert errors.startswith(f"expected to listen on 127.0.0.1:{port}; ")
    assert os.linesep not in errors.strip()
