"""Command ``python -m sandbox bloom-growth``: its output and its options."""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx


@contextmanager
def _served(*options: str) -> Iterator[dict[str, Any]]:
    command = [sys.executable, "-m", "sandbox", "bloom-growth", "--json", *options]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield json.loads(process.stdout.readline())
        finally:
            process.terminate()


def test_it_says_its_address_and_credentials_and_takes_its_options() -> None:
    options = ["--user-name", "me@example.com", "--password", "pw", "--api-key", "key", "--empty"]
    options += ["--requests-per-second", "0", "--max-title", "5"]
    with (
        _served(*options) as found,
        httpx.Client(
            base_url=f"{found['url']}/api/v1", headers={"authorization": "Bearer key"}, trust_env=False
        ) as http,
    ):
        assert {**found, "url": ""} == {
            "sandbox": "bloom-growth",
            "url": "",
            "user_name": "me@example.com",
            "password": "pw",
            "api_key": "key",
        }
        form = {"grant_type": "password", "userName": "me@example.com", "password": "pw"}
        assert http.post(f"{found['url']}/Token", data=form).status_code == 200
        assert {http.get("L10/list").text for _ in range(30)} == {"[]"}
        assert http.post("L10/create", json={"title": "123456"}).status_code == 400
