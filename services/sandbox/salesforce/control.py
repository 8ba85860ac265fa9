"""A client for the endpoints that only the stand-in Salesforce has, beside those of every sandbox."""

from collections import Counter

import msgspec

from sandbox.control import SandboxControl

_PREFIXES = {
    "/services/async": "bulk1",
    "/services/data/{version}/jobs": "bulk2",
    "/services/data": "rest",
    "/services/Soap": "login",
    "/services/oauth2": "login",
}
"""Names of the APIs by how their routes begin; the first that fits counts."""


class ListedJob(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """Job as Bulk API 2.0 lists it. ``job_type``: ``Classic`` (1.0), ``V2Ingest`` or ``V2Query``."""

    id: str
    job_type: str
    operation: str
    object: str
    state: str
    created_by_id: str


class SalesforceControl(SandboxControl):
    """Client that sees, releases and aborts jobs, and counts what an org was asked for."""

    async def jobs(self) -> list[ListedJob]:
        """Return the jobs of either API, first created first."""
        return await self._call("GET", "/_sandbox/jobs", list[ListedJob])

    async def release_jobs(self) -> int:
        """Begin what the fault ``hold_jobs`` holds; return how many batches (1.0) and jobs (2.0) that were."""
        return (await self._call("POST", "/_sandbox/jobs/release", dict[str, int]))["released"]

    async def abort_job(self, job_id: str) -> None:
        """Abort a job as an administrator would."""
        await self._send("POST", f"/_sandbox/jobs/{job_id}/abort")

    async def calls(self) -> dict[str, int]:
        """Count the answered requests of each API, whatever their status: ``bulk1``, ``bulk2``, ``rest``, ``login``."""
        counts: Counter[str] = Counter()
        for label, requests in (await self.summary(repeats=False)).requests.items():
            path = label.split(" ")[1]
            counts[next((name for prefix, name in _PREFIXES.items() if path.startswith(prefix)), "other")] += requests
        return dict(counts)

    async def used(self) -> dict[str, int]:
        """Return what is used of the day's budgets: ``api_requests``, ``batches``, ``query_jobs``."""
        return msgspec.convert((await self.state())["used"], dict[str, int])
