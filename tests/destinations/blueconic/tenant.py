"""A BlueConic stand-in that runs, with our client for it and its own controls."""

from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager, aclosing, asynccontextmanager
from typing import Any, NamedTuple

import httpx

from sandbox.blueconic.settings import Settings
from sandbox.blueconic.vendor import BlueConic as Vendor
from sandbox.control import SandboxControl
from sandbox.serving.app import App
from sandbox.serving.server import serve
from sluice.destinations.blueconic.destination import BlueConic
from sluice.destinations.blueconic.settings import BlueConicSettings
from sluice.events import RecordEvent
from sluice.flow.outcome import Outcome
from sluice.setting_types import Secret
from tests.support.factories import encode_batch, send_now


class Tenant(NamedTuple):
    """The client under test, and what others see of the vendor."""

    url: str
    destination: BlueConic
    control: SandboxControl

    async def write(self, *events: RecordEvent) -> Sequence[Outcome]:
        return await self.destination.write(encode_batch(self.destination, events), send_now)

    async def states(self, *events: RecordEvent) -> list[str]:
        return [outcome.code for outcome in await self.write(*events)]

    async def read(self, path: str) -> dict[str, Any]:
        """Read ``path`` as anybody else would."""
        form = {"grant_type": "client_credentials", "client_id": "sandbox", "client_secret": "sandbox-secret"}
        async with httpx.AsyncClient(base_url=f"{self.url}/rest/v2", trust_env=False, verify=False) as http:
            token = (await http.post("/oauth/token", data=form)).json()["access_token"]
            answer = await http.get(path, headers={"authorization": f"Bearer {token}"})
        body: dict[str, Any] = answer.raise_for_status().json()
        return body

    async def values(self, path: str) -> dict[str, list[str]]:
        """Read the properties of a group or profile."""
        return {one["id"]: one["values"] for one in (await self.read(path))["properties"]}


def client(url: str, *, secret: str = "sandbox-secret", **changes: Any) -> AbstractAsyncContextManager[BlueConic]:
    """Open our client for the tenant at ``url``, with ``changes`` to its settings."""
    settings = BlueConicSettings(url=url, client_id="sandbox", client_secret=Secret(secret), **changes)
    return aclosing(BlueConic(settings))


@asynccontextmanager
async def tenant(settings: Settings | None = None, **changes: Any) -> AsyncIterator[Tenant]:
    """Run a stand-in with ``settings``, and open our client for it as :func:`client` does."""
    async with serve(App(Vendor(settings))) as url, SandboxControl(url) as control, client(url, **changes) as ours:
        yield Tenant(url, ours, control)
