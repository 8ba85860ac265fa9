"""Unmodified clients: the published scripts of liquid_decisions.md §14, and several at once."""

import asyncio
import json
from typing import Any

import requests

from tests.sandbox.liquid_decisions.service import BASE, LOGIN, Service, item, links_in

SAMPLE = [item("ABC123", "Create", name="EXAMPLE #1"), item("ABC125", "Update", name="EXAMPLE #2")]


class _Script:
    """Published script: logs in anew, sends with ``requests``, reads the text and no status."""

    def __init__(self, url: str) -> None:
        self._url = f"{url}{BASE}"
        self._headers: dict[str, str] = {}
        self._headers["Authorization"] = "Bearer " + json.loads(self._post("oauth2/token", LOGIN))["access_token"]

    def upsert(self) -> str:
        return self._post("items/upsert", json.dumps(SAMPLE), headers={"content-type": "application/json"})

    def batch_import(self) -> str:
        parameters = {
            "notificationEmail": None,
            "jobName": "j",
            "contentType": "application/json",
            "itemType": "Account",
        }
        files = {
            "file": ("/data/accounts.json", json.dumps(SAMPLE), "application/json", {"Expires": "0"}),
            "template": ("/data/none.vm", "#set($x = 1)", "application/json", {"Expires": "0"}),
        }
        return self._post("batch/import", parameters, files=files)

    def batch_export(self) -> str:
        parameters = {
            "notificationEmail": "ops@example.com",
            "jobName": "j",
            "itemType": "Account",
            "sqlQuery": None,
            "contentType": "application/json",
            "filters": str(0),
            "template": "",
        }
        return self._post("batch/export", parameters)

    def batch(self, call: str, job_id: str) -> str:
        return self._post(f"batch/{call}", {"jobId": job_id})

    def updates(self) -> list[str]:
        """Page by 10, with a token: repaired as §14 says."""
        keys: list[str] = []
        parameters: dict[str, object] = {"itemType": "Account", "max": 10}
        while True:
            found = json.loads(self._post("items/updates", parameters))
            keys += [one["data"]["accountId"] for one in found["items"]]
            parameters |= {"processedAfter": found["maxProcessedAt"], "lastId": found["lastId"]}
            if len(found["items"]) < 10:
                return keys

    def _post(self, path: str, data: Any, *, files: Any = None, headers: dict[str, str] | None = None) -> str:
        sent = {**self._headers, **(headers or {})}
        return requests.post(f"{self._url}/{path}", headers=sent, data=data, files=files, timeout=10).text


async def _script(liquid: Service) -> _Script:
    return await asyncio.to_thread(_Script, liquid.url)


async def test_upsert_py_runs(liquid: Service) -> None:
    script = await _script(liquid)
    assert await asyncio.to_thread(script.upsert) == '{"count":2}'


async def test_batch_import_py_and_batch_status_py_run(liquid: Service) -> None:
    script = await _script(liquid)
    job = json.loads(await asyncio.to_thread(script.batch_import))
    await liquid.control.advance(60)
    status = json.loads(await asyncio.to_thread(script.batch, "status", job["jobId"]))
    assert (job["status"], status["status"], status["recordsProcessed"]) == ("Accepted", "Completed", "2")


async def test_batch_cancel_py_runs(liquid: Service) -> None:
    script = await _script(liquid)
    job = json.loads(await asyncio.to_thread(script.batch_import))
    assert json.loads(await asyncio.to_thread(script.batch, "cancel", job["jobId"]))["status"] == "Canceling"


async def test_batch_export_py_runs(liquid: Service) -> None:
    script = await _script(liquid)
    await asyncio.to_thread(script.upsert)
    status = await liquid.finished(json.loads(await asyncio.to_thread(script.batch_export)))
    [link] = links_in(status)
    assert len((await liquid.http.get(link)).json()) == 2


async def test_updates_py_pages_by_ten(liquid: Service) -> None:
    await liquid.upsert(*(item(f"k{number:02}") for number in range(25)))
    script = await _script(liquid)
    assert await asyncio.to_thread(script.updates) == [f"k{number:02}" for number in range(25)]


async def test_two_clients_never_see_each_others_half_written_state(liquid: Service) -> None:
    """Write one value to all items of each upsert; a reader must find one value only."""

    async def write(value: str) -> None:
        for _ in range(10):
            await liquid.upsert(*(item(f"k{number}", value=value) for number in range(50)))

    async def read(seen: list[int]) -> None:
        for _ in range(20):
            seen.append(len({one["value"] for one in await liquid.data()}))

    seen: list[int] = []
    await liquid.upsert(*(item(f"k{number}", value="first") for number in range(50)))
    async with asyncio.TaskGroup() as tasks:
        for value in ("left", "right"):
            tasks.create_task(write(value))
        tasks.create_task(read(seen))
    assert set(seen) == {1}
