"""A Bloom Growth sandbox in this process, and a client with its API key."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx

from sandbox.bloom_growth.control import BloomGrowthControl
from sandbox.bloom_growth.settings import Settings
from sandbox.bloom_growth.vendor import BloomGrowth
from sandbox.serving.app import App
from sandbox.serving.server import serve

LOGIN = {"grant_type": "password", "userName": "alex.morgan@example.com", "password": "sandbox-secret"}
UNLIMITED = Settings(requests_per_second=None)


class BloomTenant:
    """One tenant: ``http`` is its API as the first user, ``control`` the client of the sandbox's own endpoints."""

    def __init__(self, url: str, http: httpx.AsyncClient, control: BloomGrowthControl) -> None:
        self.url = url
        self.http = http
        self.control = control

    async def get(self, path: str) -> Any:
        """Return the answer of a read that must succeed."""
        return await self.send("GET", path)

    async def send(self, method: str, path: str, body: object = None) -> Any:
        """Return the answer of a write that must succeed; null for an empty body."""
        answer = await self.http.request(method, path, json=body)
        assert answer.status_code == 200, answer.text
        assert answer.content != b"null"
        return answer.json() if answer.content else None

    async def status(self, method: str, path: str, body: object = None) -> int:
        return (await self.http.request(method, path, json=body)).status_code

    async def me(self) -> int:
        return int((await self.get("users/mine"))["Id"])

    async def user(self, name: str) -> int:
        [found] = await self.get(f"search/user?term={name}")
        return int(found["Id"])

    async def meeting(self, name: str = "Leadership") -> int:
        """Return the seed's meeting of that name that the first user attends."""
        return next(int(one["Id"]) for one in await self.get("L10/list") if one["Name"].startswith(name))

    async def create(self, kind: str, **fields: Any) -> dict[str, Any]:
        """Create an object in a meeting and return it; ``kind`` is the meeting's path to such objects."""
        found: dict[str, Any] = await self.send("POST", f"L10/{await self.meeting()}/{kind}", {"title": "t", **fields})
        return found

    async def as_user(self, email: str) -> dict[str, str]:
        """Return headers with another user's token."""
        answer = await self.http.post(f"{self.url}/Token", data={**LOGIN, "userName": email})
        return {"authorization": f"Bearer {answer.json()['access_token']}"}

    async def other_organization_ids(self) -> dict[str, int]:
        """Return ids of another organization, by object."""
        headers = await self.as_user("nora.vance@example.com")

        async def first(path: str) -> int:
            return int((await self.http.get(path, headers=headers)).json()[0]["Id"])

        meeting = await first("L10/list")
        lists = {name: f"L10/{meeting}/{name}" for name in ("issues", "todos", "rocks", "headlines", "measurables")}
        found = {name: await first(path) for name, path in lists.items()}
        user = (await self.http.get("users/mine", headers=headers)).json()["Id"]
        return {**found, "meeting": meeting, "user": user}


@asynccontextmanager
async def bloom_tenant(settings: Settings = UNLIMITED, *, clock_stopped: bool = False) -> AsyncIterator[BloomTenant]:
    """Serve a tenant for one test, without a rate limit unless ``settings`` have one.

    ``clock_stopped``: only ``advance`` moves the clock, so that no bucket fills on a slow machine.
    """
    vendor = BloomGrowth(settings)
    if clock_stopped:
        vendor.clock.stop()
    headers = {"authorization": f"Bearer {settings.api_key}"}
    async with (
        serve(App(vendor)) as url,
        httpx.AsyncClient(base_url=f"{url}/api/v1", headers=headers, trust_env=False, verify=False, timeout=10) as http,
        BloomGrowthControl(url) as control,
    ):
        yield BloomTenant(url, http, control)
        await control.clear_faults()
