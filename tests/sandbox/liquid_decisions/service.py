"""A Liquid Decisions sandbox in this process, and a client with a token."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx

from sandbox.liquid_decisions.control import LiquidControl
from sandbox.liquid_decisions.settings import Settings
from sandbox.liquid_decisions.vendor import LiquidDecisions
from sandbox.serving.app import App
from sandbox.serving.server import serve

BASE = "/ls/api"
LOGIN = {
    "grant_type": "password",
    "client_id": "sandbox",
    "client_secret": "sandbox-secret",
    "username": "sandbox@example.com",
    "password": "sandbox-password",
    "scope": "community=ACME",
}
JOB = {"jobName": "run", "itemType": "Account", "contentType": "application/json"}
ROUTES = {one.path.rpartition("/")[2]: one for one in LiquidDecisions().routes if one.path.startswith("/ls/")}
"""Routes by the last word of their paths"""
_JOB_S = 60.0
"""Seconds of the sandbox's clock, longer than any job of a test takes."""


class Service:
    """Service: ``http`` carries a token for ACME, ``control`` is the control side of the sandbox."""

    def __init__(self, url: str, http: httpx.AsyncClient, control: LiquidControl) -> None:
        self.url = url
        self.http = http
        self.control = control

    async def token(self, **fields: str) -> str:
        answer = await self.http.post(f"{BASE}/oauth2/token", data={**LOGIN, **fields})
        return str(answer.json()["access_token"])

    async def log_in(self, **fields: str) -> None:
        self.http.headers["authorization"] = f"Bearer {await self.token(**fields)}"

    async def wait(self, seconds: float) -> None:
        """Move the sandbox's clock, and log in anew where tokens may have expired."""
        await self.control.advance(seconds)
        await self.log_in()

    async def post(self, path: str, **fields: str) -> httpx.Response:
        """Send a form."""
        return await self.http.post(f"{BASE}/{path}", data=fields)

    async def upsert(self, *items: dict[str, Any]) -> dict[str, Any]:
        return _object(await self.http.post(f"{BASE}/items/upsert", json=list(items)))

    async def items(self, item_type: str = "Account") -> list[dict[str, Any]]:
        """Return the type's items as the feed has them, in the order of their last write."""
        found: list[dict[str, Any]] = _object(await self.post("items/updates", itemType=item_type, max="1000"))["items"]
        return found

    async def data(self, item_type: str = "Account") -> list[dict[str, Any]]:
        return [one["data"] for one in await self.items(item_type)]

    async def query(self, sql: str, **fields: str) -> list[dict[str, Any]]:
        answer = await self.post("data/sqlQuery", query=sql, **fields)
        assert answer.status_code == 200, answer.text
        found: list[dict[str, Any]] = answer.json()
        return found

    async def post_import(self, file: bytes | list[Any], form: dict[str, str]) -> httpx.Response:
        body = file if isinstance(file, bytes) else json.dumps(file).encode()
        return await self.http.post(f"{BASE}/batch/import", data=form, files={"file": ("records", body)})

    async def submit_import(self, file: bytes | list[Any], **fields: str) -> dict[str, Any]:
        return _object(await self.post_import(file, _job_with(fields)))

    async def submit_export(self, **fields: str) -> dict[str, Any]:
        return _object(await self.post("batch/export", **_job_with(fields)))

    async def status(self, job: dict[str, Any]) -> dict[str, Any]:
        return _object(await self.post("batch/status", jobId=job["jobId"]))

    async def finished(self, job: dict[str, Any]) -> dict[str, Any]:
        """Return the job's status after a minute of the sandbox's clock."""
        await self.wait(_JOB_S)
        return await self.status(job)

    async def imported(self, file: bytes | list[Any], **fields: str) -> dict[str, Any]:
        return await self.finished(await self.submit_import(file, **fields))

    async def exported(self, **fields: str) -> list[httpx.Response]:
        """Return the files of an export that must complete."""
        status = await self.finished(await self.submit_export(**fields))
        assert status["status"] == "Completed", status
        return [await self.http.get(link) for link in links_in(status)]

    async def mails(self) -> list[dict[str, Any]]:
        return await self.control.mails()


def _object(answer: httpx.Response) -> dict[str, Any]:
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def _job_with(fields: dict[str, str]) -> dict[str, str]:
    """Return the form of a job with other fields; an empty one is left out."""
    return {name: value for name, value in {**JOB, **fields}.items() if value}


def links_in(status: dict[str, Any]) -> list[str]:
    return [word for word in status["reason"].split() if word.startswith("http://")]


@asynccontextmanager
async def service(settings: Settings | None = None) -> AsyncIterator[Service]:
    """Yield a service of its own for one test."""
    async with (
        serve(App(LiquidDecisions(settings))) as url,
        httpx.AsyncClient(base_url=url, trust_env=False, verify=False, timeout=20) as http,
        LiquidControl(url) as control,
    ):
        found = Service(url, http, control)
        await found.log_in()
        yield found
        await control.clear_faults()


def item(key: str, action: str = "Merge", /, **data: Any) -> dict[str, Any]:
    """Return an Account with this id."""
    headers = {"category": "entity", "type": "Account", "action": action}
    return {"headers": headers, "data": {"accountId": key, **data}}
