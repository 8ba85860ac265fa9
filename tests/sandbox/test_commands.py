"""Command ``python -m sandbox NAME``: it prints its address, and stops on a signal or with its parent."""

import json
import os
import signal
import socket
import subprocess
import sys

import httpx
import psutil
import pytest

from sandbox.vendors import FIRST_PORT, VENDORS
from tests.sandbox.bloom_growth.tenants import LOGIN

_STOPS_WITHIN_S = 10


def _start(*arguments: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "sandbox", *arguments]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def _first_line(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


@pytest.mark.parametrize("name", [pytest.param(name, id=name) for name in (*(row.name for row in VENDORS), "otlp")])
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


def test_bloom_growth_takes_its_options() -> None:
    options = ["--user-name", "me@example.com", "--password", "pw", "--api-key", "key", "--empty"]
    options += ["--requests-per-second", "0", "--max-title", "5"]
    with _start("bloom-growth", "--json", *options) as process:
        found = json.loads(_first_line(process))
        url, headers = found.pop("url"), {"authorization": "Bearer key"}
        with httpx.Client(base_url=f"{url}/api/v1", headers=headers, trust_env=False) as http:
            form = {"grant_type": "password", "userName": "me@example.com", "password": "pw"}
            granted = http.post(f"{url}/Token", data=form).status_code
            lists = {http.get("L10/list").text for _ in range(30)}
            refused = http.post("L10/create", json={"title": "123456"}).status_code
        process.terminate()
    assert found == {"sandbox": "bloom-growth", "user_name": "me@example.com", "password": "pw", "api_key": "key"}
    assert (granted, lists, refused) == (200, {"[]"}, 400)


def test_bloom_growth_takes_given_ids_and_strict_switches() -> None:
    options = ["--meeting-id", "123", "--user-id", "456", "--user-id", "789", "--normalize-titles"]
    options += ["--one-token-per-user", "--notes-url", "http://notes.example/p", "--pad-lag", "600"]
    with _start("bloom-growth", "--json", *options) as process:
        found = json.loads(_first_line(process))
        headers = {"authorization": f"Bearer {found['api_key']}"}
        with httpx.Client(base_url=found["url"], headers=headers, trust_env=False) as http:
            issue = http.post("api/v1/L10/123/issues", json={"title": " a  b ", "notes": "n"}).json()
            pad = http.get(f"p/{issue['DetailsUrl'].removeprefix('http://notes.example/p/')}/export/txt")
            http.post("Token", data={**LOGIN, "userName": found["user_name"]})
            after_login = http.get("api/v1/users/mine").status_code
        process.terminate()
    assert (issue["Name"], issue["Owner"]["Id"]) == ("a b", 456)
    assert (pad.status_code, pad.text, after_login) == (200, "", 401)


def test_liquid_decisions_takes_its_options() -> None:
    options = ["--identifier-field", "seq", "--no-counts-in-reason", "--mails-each-status", "--queue-time", "0"]
    options += ["--slice-time", "0", "--max-updates-items", "2", "--short-pages", "--records-per-file", "1"]
    options += ["--header-in-first-file", "--links-field", "response", "--links-origin", "https://files.example"]
    with _start("liquid-decisions", "--json", *options) as process, httpx.Client(trust_env=False) as http:
        found = json.loads(_first_line(process))
        http.base_url = found["url"]
        form = {"grant_type": "password", "username": found["username"], "password": found["password"]}
        form["scope"] = f"community={found['community']}"
        granted = http.post("/ls/api/oauth2/token", data=form).json()
        http.headers["authorization"] = f"Bearer {granted['access_token']}"
        headers = {"type": "Account", "action": "Merge"}
        items = [{"headers": headers, "data": {"accountId": key, "seq": 7}} for key in "abc"]
        http.post("/ls/api/items/upsert", json=items)
        page = http.post("/ls/api/items/updates", data={"itemType": "Account", "max": "5000"}).json()
        job = {"jobName": "j", "itemType": "Account", "contentType": "text/csv", "rowHeader": "true"}
        status = http.post("/ls/api/batch/export", data={**job, "notificationEmail": "me@example.com"}).json()
        links = status["response"].split()
        files = [http.get(link.removeprefix("https://files.example")).text for link in links]
        mails = [one["status"] for one in http.get("/_sandbox/outbox").json()]
        audited = [json.loads(line) for line in http.get("/_sandbox/items").text.splitlines()]
        process.terminate()
    assert [one["writes"][0]["identifier"] for one in audited] == ["7", "7", "7"]
    assert (len(page["items"]), status["reason"]) == (2, "done")
    assert files == ["accountId,seq\r\na,7\r\n", "b,7\r\n", "c,7\r\n"]
    assert mails == ["Initialized", "Accepted", "Processing", "Completed"]


def test_a_late_commit_is_an_option() -> None:
    with _start("liquid-decisions", "--json", "--late-commit", "60") as process, httpx.Client(trust_env=False) as http:
        found = json.loads(_first_line(process))
        http.base_url = found["url"]
        form = {name: found[name] for name in ("username", "password")}
        form |= {"grant_type": "password", "scope": "community=ACME"}
        granted = http.post("/ls/api/oauth2/token", data=form).json()
        http.headers["authorization"] = f"Bearer {granted['access_token']}"
        http.post(
            "/ls/api/items/upsert",
            json=[{"headers": {"type": "Account", "action": "Merge"}, "data": {"accountId": "a"}}],
        )
        seen = []
        for _ in range(2):
            seen.append(len(http.post("/ls/api/items/updates", data={"itemType": "Account"}).json()["items"]))
            http.post("/_sandbox/clock", json={"advance_s": 61})
        process.terminate()
    assert seen == [0, 1]


def test_blueconic_takes_segments() -> None:
    options = ["--segment", "vip:tier=gold", "--segment", "few:a,c", "--page-items", "1", "--list-by-modification"]
    with _start("blueconic", "--json", *options) as process, httpx.Client(trust_env=False) as http:
        found = json.loads(_first_line(process))
        http.base_url = f"{found['url']}/rest/v2"
        form = {"grant_type": "client_credentials", "client_id": "sandbox", "client_secret": "sandbox-secret"}
        http.headers["authorization"] = f"Bearer {http.post('/oauth/token', data=form).json()['access_token']}"
        gold = [{"id": "tier", "values": ["gold"], "strategy": "SET"}]
        for key in "cba":
            http.put("/profiles", json=[{"profileId": key, "strategy": "UPSERT", "properties": gold}])
            http.post(f"{found['url']}/_sandbox/clock", json={"advance_s": 1})
        pages = [http.get(f"/segments/{name}/profiles").json() for name in ("vip", "few")]
        process.terminate()
    assert [(page["profiles"][0]["id"], page["totalResults"], page["totalPages"]) for page in pages] == [
        ("c", 3, 3),
        ("c", 2, 2),
    ]


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


def test_every_vendor_is_listed_on_a_line_of_its_own() -> None:
    with _start("--list") as process:
        lines, _ = process.communicate(timeout=_STOPS_WITHIN_S)
    for port, (row, line) in enumerate(zip(VENDORS, lines.splitlines(), strict=True), FIRST_PORT):
        assert line.split()[:2] == [row.name, f"http://127.0.0.1:{port}"]
        assert row.covers in line
        assert all(f"{name}={value}" in line for name, value in row.credentials.items())


@pytest.mark.parametrize("number", [pytest.param(number, id=number.name) for number in (signal.SIGTERM, signal.SIGINT)])
def test_all_vendors_serve_with_the_listed_credentials_and_stop_together(number: signal.Signals) -> None:
    with _start("all", "--port", "0", "--json") as process:
        found = [json.loads(_first_line(process)) for _ in VENDORS]
        served = [httpx.get(f"{one['url']}/_sandbox/health", trust_env=False).json()["sandbox"] for one in found]
        children = psutil.Process(process.pid).children()
        process.send_signal(number)
        _, errors = process.communicate(timeout=_STOPS_WITHIN_S)
    assert (process.returncode, errors) == (0, "")
    assert served == [row.name for row in VENDORS]
    assert [{**row.credentials} for row in VENDORS] == [
        {name: value for name, value in one.items() if name not in ("sandbox", "url")} for one in found
    ]
    assert psutil.wait_procs(children, timeout=_STOPS_WITHIN_S)[1] == []


def test_all_take_neighbouring_ports() -> None:
    first = _free_ports(len(VENDORS))
    with _start("all", "--port", str(first)) as process:
        lines = [_first_line(process) for _ in VENDORS]
        process.terminate()
    assert [line.split()[:2] for line in lines] == [
        [row.name, f"http://127.0.0.1:{port}"] for port, row in enumerate(VENDORS, first)
    ]


def test_all_leave_no_process_when_killed_or_when_one_stops() -> None:
    for victim in ("all", "one"):
        with _start("all", "--port", "0") as process:
            for _ in VENDORS:
                _first_line(process)
            children = psutil.Process(process.pid).children()
            (process if victim == "all" else children[0]).kill()
            assert psutil.wait_procs(children, timeout=_STOPS_WITHIN_S)[1] == []
            assert process.wait(_STOPS_WITHIN_S) != 0


def test_all_stop_when_a_port_is_taken() -> None:
    first = _free_ports(len(VENDORS))
    with socket.create_server(("127.0.0.1", first + 1)), _start("all", "--port", str(first)) as process:
        said, errors = process.communicate(timeout=_STOPS_WITHIN_S)
    assert (process.returncode, said) == (1, "")
    assert errors.startswith(f"expected to listen on 127.0.0.1:{first + 1}; ")


def _free_ports(count: int) -> int:
    """Return the first of ``count`` consecutive free ports."""
    for first in range(20_000, 30_000, count):
        try:
            for port in range(first, first + count):
                socket.create_server(("127.0.0.1", port)).close()
        except OSError:
            continue
        return first
    raise AssertionError("no free ports")
