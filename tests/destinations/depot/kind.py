"""The kind for Depot: what a vendor that runs jobs takes, in its smallest form."""

import hashlib
from collections.abc import AsyncIterator, Collection, Generator, Sequence
from datetime import datetime

import httpx
import msgspec

from sluice.destinations.contract import (
    Ambiguous,
    BatchError,
    Kind,
    Misconfigured,
    OnRequest,
    PreSendCheck,
    Refused,
    Rejection,
    Unavailable,
    unproven,
)
from sluice.destinations.http import answered_at, describe_request, error_message, open_client, send, unavailable_from
from sluice.destinations.http_attempts import PRE_SEND_CHECK
from sluice.destinations.settings import DestinationSettings
from sluice.destinations.vendor_jobs import (
    Gone,
    JobState,
    LostSubmit,
    Named,
    Over,
    Quota,
    Refs,
    ResultsIncomplete,
    Running,
    Sent,
    Upload,
    VendorJob,
)
from sluice.events import RecordEvent, record_data
from sluice.flow.batch import Batch, Encoded
from sluice.flow.outcome import Fate, Outcome
from sluice.flow.windows import Limits
from sluice.setting_types import Secret

OVER = ("done", "aborted")


class DepotSettings(DestinationSettings, frozen=True, kw_only=True, tag="depot"):
    """A depot and its key."""

    key: Secret


class _Info(msgspec.Struct):
    id: str
    state: str
    processed: int
    failed: int


class DepotAccount:
    """One depot, reached with one client."""

    limits = Limits(max_items=1000, max_bytes=1_000_000, max_concurrent=2, max_age_s=1.0, max_jobs=10)
    joins_by = "row"
    ref_names = ("job",)
    warns_of = None

    def __init__(self, settings: DepotSettings, *, on_request: OnRequest | None = None) -> None:
        self.settle_s = settings.settle_s
        self.vendor_at: datetime | None = None
        self.quotas: dict[str, Quota] = {}
        self._client = open_client(
            settings, base_url=settings.url, max_connections=4, auth=_Key(settings.key), on_request=on_request
        )

    def encode(self, event: RecordEvent, identifier: str) -> Encoded:
        """Encode a parcel; its name is the event's key. Raises ``Rejection``."""
        if event.operation not in ("insert", "upsert"):
            raise Rejection("unknown-operation", f"expected insert or upsert, got {event.operation!r}")
        if not isinstance(event.key, str) or not event.key:
            raise Rejection("bad-key", "expected the parcel's name as key, a string; name it upstream")
        try:
            body = msgspec.json.encode({**record_data(event), "name": event.key})
        except msgspec.ValidationError as error:
            raise Rejection("bad-data", f"expected a JSON object as data: {error}; correct it upstream") from error
        return Encoded(event.operation, event.key, body, replay_safe=event.operation == "upsert")

    async def prepare(self, batch: Batch) -> Upload:
        """Return one parcel a line."""
        body = b"".join(item.encoded.body + b"\n" for item in batch.items)
        return Upload(body, hashlib.sha256(body).hexdigest())

    async def submit(self, batch: Batch, upload: Upload, named: Named, pre_send_check: PreSendCheck) -> Refs:
        """Create a job, put the rows, start it: only the last step lets it run."""
        created = await self._call_before_start("POST", "jobs")
        refs = {"job": msgspec.json.decode(created.content)["id"]}
        await named(refs)
        await self._call_before_start("PUT", f"jobs/{refs['job']}/rows", upload.body)
        await self._call("POST", f"jobs/{refs['job']}/start", check=pre_send_check)
        return refs

    async def find(self, lost: LostSubmit, others: Collection[Refs], sent: Sent) -> Refs | None:
        """Look up the job by its name: one that still takes rows is aborted, so that a late start finds nothing."""
        if not lost.refs:
            return None  # without a name it was never started
        await self.abort(lost.refs)
        info = next((one for one in await self._infos() if one.id == lost.refs["job"]), None)
        if info is None or (info.state == "aborted" and not info.processed):
            return None
        return lost.refs

    async def poll(self, jobs: Sequence[Refs]) -> AsyncIterator[tuple[Refs, JobState]]:
        """Read the one list that has all jobs."""
        infos = {info.id: info for info in await self._infos()}
        for refs in jobs:
            info = infos.get(refs["job"])
            if info is None:
                yield refs, Gone("it is not in the list of jobs")
            elif info.state in OVER:
                aborted = info.state == "aborted"
                yield refs, Over(word=info.state, processed=info.processed, failed=info.failed, aborted=aborted)
            else:
                yield refs, Running(info.state)

    async def collect(
        self, refs: Refs, over: Over, items: int, sent: Sent
    ) -> AsyncIterator[tuple[object, Outcome | None]]:
        """Yield a result for each row, in their order."""
        results = (await self._call("GET", f"jobs/{refs['job']}/results")).content.splitlines()
        if len(results) != items:
            raise ResultsIncomplete(f"expected {items} results, got {len(results)}")
        for row, line in enumerate(results):
            result = msgspec.json.decode(line)
            if error := result.get("error"):
                yield row, Outcome(Fate.REJECTED, error)
            else:
                yield row, Outcome(Fate.DELIVERED, "STORED") if result else None

    async def abort(self, refs: Refs) -> None:
        """End a job early."""
        await self._call("POST", f"jobs/{refs['job']}/abort")

    async def close(self, refs: Refs) -> None:
        """Do nothing: Depot holds nothing open for a job."""

    async def jobs(self) -> AsyncIterator[VendorJob]:
        """Yield all jobs."""
        for info in await self._infos():
            yield VendorJob(
                refs={"job": info.id},
                word=info.state,
                over=info.state in OVER,
                batch_key="",
                created_at=None,
                created_by="",
                items=info.processed,
            )

    async def check(self) -> str:
        """Read the list of jobs."""
        return f"Depot has {len(await self._infos())} jobs"

    async def aclose(self) -> None:
        """Close the connections."""
        await self._client.aclose()

    async def _infos(self) -> list[_Info]:
        return msgspec.json.decode((await self._call("GET", "jobs")).content, type=list[_Info])

    async def _call_before_start(self, method: str, path: str, body: bytes = b"") -> httpx.Response:
        """Make a call after which nothing can run yet: a lost answer is an outage."""
        try:
            return await self._call(method, path, body)
        except Ambiguous as error:
            raise Unavailable(error.reason, str(error), error.retry_after_s, overloaded=error.overloaded) from error

    async def _call(
        self, method: str, path: str, body: bytes = b"", *, check: PreSendCheck | None = None
    ) -> httpx.Response:
        extensions = {} if check is None else {PRE_SEND_CHECK: check}
        response = await send(
            self._client, self._client.build_request(method, path, content=body, extensions=extensions)
        )
        self.vendor_at = answered_at(response) or self.vendor_at
        if (left := response.headers.get("jobs-left")) is not None:
            remaining, _, allowed = left.partition("/")
            self.quotas["jobs"] = Quota(int(remaining), int(allowed))
        if response.status_code < 300:
            return response
        error = _error_from(response)
        # A proxy may answer in the place of a Depot that has started the job; its answers are no JSON.
        is_own = response.headers.get("content-type") == "application/json"
        raise error if check is None or is_own else unproven(error, may_be_repeated=False)


def _error_from(response: httpx.Response) -> BatchError:
    if (outage := unavailable_from(response)) is not None:
        return outage
    message = f"{describe_request(response.request)} answered {response.status_code}: {error_message(response)}"
    if response.status_code >= 500:
        return Ambiguous(message)
    if response.status_code == 422:
        return Refused(msgspec.json.decode(response.content)["error"], message, 422)
    return Misconfigured(message, response.status_code)


class _Key(httpx.Auth):
    def __init__(self, key: Secret) -> None:
        self._key = key

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        request.headers["authorization"] = f"Key {self._key.reveal()}"
        yield request


KIND = Kind(DepotSettings, DepotAccount)
