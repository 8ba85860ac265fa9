"""An org without a network that has jobs of Bulk API 2.0 and no records, and our client for it."""

from collections.abc import Callable, Mapping
from typing import Any

import httpx
import msgspec

from sluice.destinations.salesforce.bulk2 import Bulk2
from sluice.destinations.salesforce.settings import Bulk2Settings
from sluice.destinations.salesforce.uploads import digest
from sluice.destinations.vendor_jobs import JobState, LostSubmit, Over, Refs, Upload
from sluice.events import RecordEvent
from sluice.flow.outcome import Outcome
from sluice.setting_types import decode_secret
from tests.destinations.salesforce.bulk2_texts import NOT_FOUND, info_json, job_json, rest_error
from tests.destinations.salesforce.encoding import CONTACT
from tests.destinations.salesforce.offline import SOAP, URL, network
from tests.support.factories import NOON, encode_batch, record, send_now

BODY = b"Ext__c,LastName\nA-1,Berg"
UPLOAD = Upload(BODY, digest(BODY))
Fault = httpx.Response | Exception


def bulk2_settings(**values: Any) -> Bulk2Settings:
    """Make settings as a settings file has them."""
    made = {"kind": "salesforce_bulk2", "url": URL, "login": SOAP, "read_lag_s": 0, **values}
    return msgspec.convert(made, Bulk2Settings, dec_hook=decode_secret)


class OfflineBulk2:
    """An org with jobs. ``faults`` has the next answers to a step; ``files`` the results of a job."""

    def __init__(self, **settings: Any) -> None:
        self.jobs: dict[str, str] = {}
        self.processed: dict[str, int] = {}
        self.bodies: dict[str, bytes] = {}
        self.orders: list[dict[str, Any]] = []
        self.files: dict[str, httpx.Response] = {}
        self.objects: dict[str, dict[str, Any]] = {"Contact": CONTACT}
        self.steps: list[str] = []
        self.named: list[dict[str, str]] = []
        self.faults: dict[str, list[Fault]] = {}
        self.destination = Bulk2(bulk2_settings(**settings), transport=network(self.answer, []))

    def answer(self, request: httpx.Request) -> httpx.Response:
        step, answer = self.step(request)
        self.steps.append(step)
        waiting = self.faults.get(step.partition(" ")[0])
        if not waiting:
            return answer()
        fault = waiting.pop(0)
        if isinstance(fault, Exception):
            raise fault
        return fault

    def step(self, request: httpx.Request) -> tuple[str, Callable[[], httpx.Response]]:
        match request.method, request.url.path.strip("/").split("/")[3:]:
            case "POST", ["jobs", "ingest"]:
                return "create", lambda: self.create(msgspec.json.decode(request.content))
            case "PUT", ["jobs", "ingest", job, "batches"]:
                return f"put {job}", lambda: self.put(job, request.content)
            case "PATCH", ["jobs", "ingest", job]:
                state = msgspec.json.decode(request.content)["state"]
                return f"{'start' if state == 'UploadComplete' else 'abort'} {job}", lambda: self.change(job, state)
            case "GET", ["jobs", "ingest"]:
                listed = [job_json(state, job=job) for job, state in self.jobs.items()]
                return "list", lambda: httpx.Response(200, json={"done": True, "records": listed})
            case "GET", ["jobs", "ingest", job]:
                return f"job {job}", lambda: self.show(job)
            case "GET", ["jobs", "ingest", _, file]:
                return f"read {file}", lambda: self.files.get(file, httpx.Response(204))
            case "GET", ["limits"]:
                return "limits", lambda: httpx.Response(200, json={"DailyApiRequests": {"Max": 10, "Remaining": 9}})
            case "GET", ["sobjects", name, "describe"]:
                found = self.objects.get(name)
                return f"describe {name}", lambda: NOT_FOUND if found is None else httpx.Response(200, json=found)
        raise AssertionError(request.url)

    def create(self, order: dict[str, Any]) -> httpx.Response:
        job = f"750{len(self.jobs) + 1:012}"
        self.jobs[job] = "Open"
        self.orders.append(order)
        return httpx.Response(200, json=job_json(job=job))

    def put(self, job: str, body: bytes) -> httpx.Response:
        if self.jobs[job] != "Open":
            return rest_error("INVALIDJOBSTATE")
        self.bodies[job] = body
        return httpx.Response(201)

    def change(self, job: str, state: str) -> httpx.Response:
        if job not in self.jobs:
            return NOT_FOUND
        if self.jobs[job] not in ("Open", "UploadComplete", "InProgress") or (
            state == "UploadComplete" and self.jobs[job] != "Open"
        ):
            return rest_error("INVALIDJOBSTATE")
        self.jobs[job] = state
        return httpx.Response(200, json=job_json(state, job=job))

    def show(self, job: str) -> httpx.Response:
        if job not in self.jobs:
            return NOT_FOUND
        return httpx.Response(200, json=info_json(self.jobs[job], job=job, processed=self.processed.get(job, 0)))

    async def note(self, refs: Refs) -> None:
        self.named.append(dict(refs))
        self.steps.append(f"named {refs['job']}")

    async def submit(self, *events: RecordEvent, upload: Upload = UPLOAD) -> Refs:
        batch = encode_batch(self.destination, events or [CONTACT_EVENT])
        return await self.destination.submit(batch, upload, self.note, send_now)

    async def prepare(self, *events: RecordEvent) -> Upload:
        return await self.destination.prepare(encode_batch(self.destination, events))

    async def find(self, refs: Mapping[str, str], *others: Refs) -> Refs | None:
        lost = LostSubmit(
            batch_key="Contact/upsert/Ext__c",
            fingerprint=UPLOAD.fingerprint,
            refs=dict(refs),
            requested_at=NOON,
            lost_at_s=0.0,
        )
        return await self.destination.find(lost, others)

    async def poll(self, *jobs: str) -> list[tuple[str, JobState]]:
        return [(refs["job"], state) async for refs, state in self.destination.poll([{"job": job} for job in jobs])]

    async def collect(self, job: str, over: Over, items: int) -> dict[object, Outcome | None]:
        return {name: outcome async for name, outcome in self.destination.collect({"job": job}, over, items)}


CONTACT_EVENT = record("Contact", "upsert", {"Ext__c": "A-1"}, {"LastName": "Berg"})
J1, J2 = "750000000000001", "750000000000002"
LOST = httpx.ReadError("reset")
