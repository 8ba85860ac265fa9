"""A BlueConic sandbox in this process, with an authorized client."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx

from sandbox.blueconic.settings import Settings
from sandbox.blueconic.vendor import BlueConic
from sandbox.control import SandboxControl
from sandbox.serving.app import App
from sandbox.serving.server import serve

ALLOWED = {"grant_type": "client_credentials", "client_id": "sandbox", "client_secret": "sandbox-secret"}


class Tenant:
    """One tenant: ``http`` has a token for every scope, ``control`` is the client of the sandbox's own endpoints."""

    def __init__(self, url: str, http: httpx.AsyncClient, control: SandboxControl) -> None:
        self.url = url
        self.http = http
        self.control = control

    async def token(self, **fields: str) -> str:
        answer = await self.http.post("/oauth/token", data={**ALLOWED, **fields})
        return str(answer.json()["access_token"])

    async def put_groups(self, *entries: dict[str, Any]) -> list[dict[str, Any]]:
        """Write entries that must be accepted; return their results."""
        return await self._put("/groups", entries)

    async def put_profiles(self, *entries: dict[str, Any]) -> list[dict[str, Any]]:
        return await self._put("/profiles", entries)

    async def _put(self, path: str, entries: tuple[dict[str, Any], ...]) -> list[dict[str, Any]]:
        answer = await self.http.put(path, json=list(entries))
        assert answer.status_code == 200, answer.text
        results: list[dict[str, Any]] = answer.json()
        return results

    async def group(self, group_id: str, group_type: str = "company") -> dict[str, list[str]]:
        """Return a group's values as read."""
        answer = await self.http.get(f"/groups/{group_type}/{group_id}")
        return {one["id"]: one["values"] for one in answer.json()["properties"]}

    async def profile(self, profile_id: str) -> dict[str, Any]:
        """Return a profile as read, with its timeline."""
        expand = {"expand": ["profile.timeline", "profile.segments"], "eventCount": "1000"}
        answer = await self.http.get(f"/profiles/{profile_id}", params=expand)
        found: dict[str, Any] = answer.json()
        return found


@asynccontextmanager
async def tenant(settings: Settings | None = None) -> AsyncIterator[Tenant]:
    """Serve a tenant for one test."""
    async with (
        serve(App(BlueConic(settings))) as url,
        httpx.AsyncClient(base_url=f"{url}/rest/v2", trust_env=False, verify=False, timeout=10) as http,
        SandboxControl(url) as control,
    ):
        found = Tenant(url, http, control)
        http.headers["authorization"] = f"Bearer {await found.token()}"
        yield found
        await control.clear_faults()


def group(group_id: str, *, strategy: str = "UPSERT", group_type: str = "company", **values: str) -> dict[str, Any]:
    """Return an entry that sets each value; its identifier is ``to-`` and the id."""
    rules = [{"id": name, "values": [value], "strategy": "SET"} for name, value in values.items()]
    return {
        "groupTypeId": group_type,
        "groupId": group_id,
        "strategy": strategy,
        "identifier": f"to-{group_id}",
        "properties": rules,
    }


def matching(name: str, value: str) -> dict[str, Any]:
    return {"matching": [[{"id": name, "value": value}]]}


def rule(strategy: str, *values: str, name: str = "p") -> dict[str, Any]:
    return {"id": name, "values": list(values), "strategy": strategy}
