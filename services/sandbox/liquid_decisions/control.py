"""A client for the endpoints that only the stand-in Liquid Decisions has, beside those of every sandbox."""

from typing import Any

import msgspec

from sandbox.control import SandboxControl
from sandbox.liquid_decisions.items_endpoint import AuditedItem
from sandbox.liquid_decisions.jobs_endpoint import ListedJob
from sandbox.liquid_decisions.outbox import OUTBOX


class LiquidControl(SandboxControl):
    """Client that sees, releases and cancels jobs, reads mails, and audits items."""

    async def jobs(self) -> list[ListedJob]:
        """Return the jobs of all communities, first submitted first."""
        return await self._call("GET", "/_sandbox/jobs", list[ListedJob])

    async def release_jobs(self, job_id: str | None = None) -> int:
        """Let go on what the fault ``hold_jobs`` holds, or one job of it; return how many jobs that were."""
        path = "/_sandbox/jobs/release" if job_id is None else f"/_sandbox/jobs/{job_id}/release"
        return (await self._call("POST", path, dict[str, int]))["released"]

    async def cancel_job(self, job_id: str) -> ListedJob:
        """Note a cancel as a person would; a held job sees it when it is released."""
        return await self._call("POST", f"/_sandbox/jobs/{job_id}/cancel", ListedJob)

    async def mails(self) -> list[dict[str, Any]]:
        return await self._call("GET", OUTBOX, list[dict[str, Any]])

    async def items(
        self, item_type: str | None = None, key: str | None = None, *, community: str | None = None
    ) -> list[AuditedItem]:
        """Return every item that was written, with what was applied to it; or those of a type, or with a key."""
        query = {"itemType": item_type, "key": key, "community": community}
        given = {name: value for name, value in query.items() if value is not None}
        return _items(await self._send("GET", "/_sandbox/items", query=given))


_items = msgspec.json.Decoder(AuditedItem).decode_lines
