"""Bulk API 1.0 as a job destination: the order of its steps, and what it raises when one of them fails."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import httpx
import pytest

from sluice.destinations.contract import Ambiguous, BatchError, Misconfigured, Refused, Unavailable
from sluice.destinations.salesforce.bulk1 import Bulk1
from sluice.destinations.salesforce.uploads import digest
from sluice.destinations.vendor_jobs import JobDestination, LostSubmit, Over, Refs, RefusedItems, Upload
from sluice.events import RecordEvent
from sluice.flow.batch import Batch
from tests.destinations.salesforce.bulk1_texts import batch_xml, batches_xml, job_xml
from tests.destinations.salesforce.encoding import bulk1_settings
from tests.destinations.salesforce.offline import SOAP, error, network, xml
from tests.support.factories import NOON, encode_batch, record, send_now
from tests.support.instant_clock import instantly

UPLOAD = Upload(b"Id,LastName\n003X00000000001AAA,Berg", digest(b"Id,LastName\n003X00000000001AAA,Berg"))
OTHERS = [Upload(body, digest(body)) for body in (b"Id\n1", b"Id\n2", b"Id\n3", b"Id\n4")]
CONTACT: dict[str, Any] = {
    "name": "Contact",
    "fields": [{"name": "Id"}, {"name": "LastName"}, {"name": "Ext__c", "externalId": True}],
}
Fault = httpx.Response | Exception


class Org:
    """An org with jobs and batches and no records. ``faults`` has the next answers to a call."""

    def __init__(self, **settings: Any) -> None:
        self.jobs: dict[str, str] = {}
        self.batches: dict[str, dict[str, bytes]] = {}
        self.steps: list[str] = []
        self.named: list[dict[str, str]] = []
        self.faults: dict[str, list[Fault]] = {}
        made: dict[str, Any] = {"login": SOAP, "read_lag_s": 0, "gzip": False, **settings}
        self.destination = Bulk1(bulk1_settings(**made), transport=network(self.answer, []))

    def answer(self, request: httpx.Request) -> httpx.Response:
        step, answer = self.step(request, request.url.path.split("/")[3:])
        self.steps.append(step)
        name = step.partition(" ")[0]
        if self.faults.get(name):
            fault = self.faults[name].pop(0)
            if isinstance(fault, Exception):
                raise fault
            return fault
        return answer()

    def step(self, request: httpx.Request, path: Sequence[str]) -> tuple[str, Callable[[], httpx.Response]]:
        match request.method, path:
            case "POST", [_, "job"]:
                return "create", self.create
            case "POST", [_, "job", job]:
                state = "Closed" if b"Closed" in request.content else "Aborted"
                return f"{'close' if state == 'Closed' else 'abort'} {job}", lambda: self.end(job, state)
            case "GET", [_, "job", job]:
                return f"job {job}", lambda: xml(job_xml(self.jobs[job], job=job, processed=7))
            case "POST", [_, "job", job, "batch"]:
                return f"add {job}", lambda: self.add(job, request.content)
            case "GET", [_, "job", job, "batch"]:
                return f"list {job}", lambda: xml(batches_xml(*(batch_xml(batch=one) for one in self.batches[job])))
            case "GET", [_, "job", job, "batch", batch, "request"]:
                return f"request {batch}", lambda: httpx.Response(200, content=self.batches[job][batch])
            case "GET", [_, "limits"]:
                return "limits", lambda: httpx.Response(200, json={})
            case "GET", [_, "sobjects", *_]:
                return "describe", lambda: httpx.Response(200, json=CONTACT)
            case "GET", [_, "jobs", "ingest"]:
                listed = [{"id": job, "state": state, "object": "Contact"} for job, state in self.jobs.items()]
                return "jobs", lambda: httpx.Response(200, json={"records": listed})
        raise AssertionError(request.url)

    def create(self) -> httpx.Response:
        job = f"750{len(self.jobs) + 1:012}"
        self.jobs[job], self.batches[job] = "Open", {}
        return xml(job_xml(job=job), 201)

    def end(self, job: str, state: str) -> httpx.Response:
        if job not in self.jobs:
            return error("InvalidJob")
        if self.jobs[job] == "Aborted" and state == "Closed":
            return error("InvalidJobState")
        self.jobs[job] = state
        return xml(job_xml(state, job=job))

    def add(self, job: str, body: bytes) -> httpx.Response:
        if self.jobs[job] != "Open":
            return error("InvalidJobState", "Failed to create batch")
        batch = f"751{sum(map(len, self.batches.values())) + 1:012}"
        self.batches[job][batch] = body
        return xml(batch_xml(batch=batch), 201)

    async def note(self, refs: Refs) -> None:
        self.named.append(dict(refs))
        self.steps.append(f"named {refs['job']}")

    def batch(self, *events: RecordEvent) -> Batch:
        return encode_batch(self.destination, events or [record("Contact", "update", "003X00000000001AAA", {"a": 1})])

    async def submit(self, *events: RecordEvent, upload: Upload = UPLOAD) -> Refs:
        return await self.destination.submit(self.batch(*events), upload, self.note, send_now)

    async def find(self, refs: Mapping[str, str], *others: Refs, lost_at_s: float = -1e9) -> Refs | None:
        lost = LostSubmit(
            batch_key="Contact/update",
            fingerprint=UPLOAD.fingerprint,
            refs=dict(refs),
            requested_at=NOON,
            lost_at_s=lost_at_s,
        )
        return await self.destination.find(lost, others)


J1, J2 = "750000000000001", "750000000000002"
B1, B2 = "751000000000001", "751000000000002"
LOST = httpx.ReadError("reset")


def test_it_is_a_job_destination() -> None:
    assert isinstance(Org().destination, JobDestination)


async def test_a_batch_is_added_once_its_job_is_in_the_journal() -> None:
    org = Org()
    assert await org.submit() == {"job": J1, "batch": B1}
    assert org.steps == ["create", f"named {J1}", f"add {J1}"]
    assert org.batches == {J1: {B1: UPLOAD.body}}


async def test_batches_of_one_key_share_a_job_made_once() -> None:
    org = Org()
    found = await asyncio.gather(*(org.submit(upload=other) for other in OTHERS))
    assert {refs["job"] for refs in found} == {J1}
    assert org.steps.count("create") == 1
    delete = await org.submit(record("Contact", "delete", "003X00000000001AAA"))
    assert delete["job"] == J2


async def test_a_job_is_replaced_by_its_count() -> None:
    org = Org(max_batches_per_job=2)
    assert [(await org.submit(upload=other))["job"] for other in OTHERS[:3]] == [J1, J1, J2]


async def test_a_job_that_somebody_has_ended_is_replaced_and_the_new_one_named() -> None:
    """§3.11 InvalidJobState"""
    org = Org()
    await org.submit()
    org.jobs[J1] = "Aborted"
    assert (await org.submit())["job"] == J2
    assert org.steps[-5:] == [f"named {J1}", f"add {J1}", "create", f"named {J2}", f"add {J2}"]


async def test_two_jobs_in_a_row_that_are_ended_are_an_outage() -> None:
    org = Org()
    org.faults["add"] = [error("InvalidJobState"), error("InvalidJobState")]
    with pytest.raises(Unavailable, match="somebody closes or aborts our jobs"):
        await org.submit()


@pytest.mark.parametrize(
    ("call", "answer", "expected"),
    [
        pytest.param("create", LOST, Unavailable, id="§8 create is lost"),
        pytest.param("create", httpx.Response(500), Unavailable, id="create fails"),
        pytest.param("create", error("InvalidJob"), Refused, id="§3.11 create is refused"),
        pytest.param("create", error("NOT_FOUND", status=404), Misconfigured, id="§12 no such address"),
        pytest.param("create", httpx.Response(400), Misconfigured, id="create is refused by a proxy"),
        pytest.param("create", error("FeatureNotEnabled"), Misconfigured, id="§3.11 no permission"),
        pytest.param("add", LOST, Ambiguous, id="§8 add is lost"),
        pytest.param("add", httpx.Response(502), Ambiguous, id="add fails at a proxy"),
        pytest.param("add", error("InternalServerError", status=500), Ambiguous, id="add fails at the vendor"),
        pytest.param("add", httpx.Response(429), Ambiguous, id="add is refused by a proxy"),
        pytest.param("add", error("ClientInputError"), Ambiguous, id="§3.11 add is cut off"),
        pytest.param(
            "add", error("ClientInputError", "Exceeded max size limit of 10000000"), Refused, id="§3.11 too large"
        ),
        pytest.param("add", error("ExceededQuota"), Unavailable, id="§3.11 quota"),
        pytest.param("add", error("InvalidBatch"), Refused, id="§3.11 refused"),
    ],
)
async def test_a_step_that_fails(call: str, answer: Fault, expected: type[BatchError]) -> None:
    org = Org()
    org.faults[call] = [answer]
    with pytest.raises(expected):
        await org.submit()
    assert org.named == ([] if call == "create" else [{"job": J1}])


async def test_a_submit_whose_job_has_no_name_in_the_journal_wrote_nothing() -> None:
    org = Org()
    assert await org.find({}) is None
    assert org.steps == []


async def test_a_submit_that_has_its_batch_is_not_looked_for() -> None:
    org = Org()
    assert await org.find({"job": J1, "batch": B1}) == {"job": J1, "batch": B1}
    assert org.steps == []


async def test_a_lost_batch_is_adopted_once_its_job_is_closed() -> None:
    """§8"""
    org = Org()
    await org.submit(upload=Upload(b"other", digest(b"other")))
    await org.submit()
    org.steps.clear()
    assert await org.find({"job": J1}) == {"job": J1, "batch": B2}
    assert org.steps[:2] == [f"close {J1}", f"list {J1}"]
    assert org.jobs == {J1: "Closed"}


async def test_a_batch_that_did_not_arrive_is_looked_for_twice() -> None:
    """§8"""
    org = Org()
    org.create()
    assert await org.find({"job": J1}) is None
    assert org.steps == [f"close {J1}", f"list {J1}", f"list {J1}"]


@instantly
async def test_a_batch_that_salesforce_may_be_at_work_on_is_waited_for() -> None:
    org = Org(settle_s=30, read_lag_s=5)
    org.create()
    lost_at_s = asyncio.get_running_loop().time()
    await asyncio.sleep(10)
    assert await org.find({"job": J1}, lost_at_s=lost_at_s) is None
    assert asyncio.get_running_loop().time() == pytest.approx(lost_at_s + 35)
    assert await org.find({"job": J1}, lost_at_s=lost_at_s) is None
    assert asyncio.get_running_loop().time() == pytest.approx(lost_at_s + 40)


async def test_the_batch_of_another_submit_is_not_adopted() -> None:
    org = Org()
    refs = await org.submit()
    assert await org.find({"job": J1}) == refs
    assert await org.find({"job": J1}, refs) is None


async def test_a_batch_with_the_same_body_that_is_settled_is_not_adopted() -> None:
    org = Org()
    first, _ = await org.submit(), await org.submit(upload=OTHERS[0])
    await org.destination.close(first)
    org.faults["add"] = [LOST]
    with pytest.raises(Ambiguous):
        await org.submit()
    assert await org.find(org.named[-1]) is None


async def test_a_job_that_was_searched_takes_no_more_batches() -> None:
    org = Org()
    await org.submit()
    await org.find({"job": J1})
    assert (await org.submit())["job"] == J2


async def test_an_aborted_job_is_searched_as_it_is() -> None:
    org = Org()
    refs = await org.submit()
    org.jobs[J1] = "Aborted"
    assert await org.find({"job": J1}) == refs


async def test_nobody_can_tell_of_a_job_that_is_deleted() -> None:
    with pytest.raises(Ambiguous, match="does not know the job"):
        await Org().find({"job": J1})


@pytest.mark.parametrize(
    ("call", "answer", "expected"),
    [
        pytest.param("close", LOST, Unavailable, id="close is lost"),
        pytest.param("close", httpx.Response(503), Unavailable, id="close fails"),
        pytest.param("close", error("InvalidUser"), Misconfigured, id="§3.4 another user's job"),
        pytest.param("close", error("SomethingNew"), Unavailable, id="close is refused"),
        pytest.param("list", LOST, Unavailable, id="list is lost"),
        pytest.param("request", httpx.Response(500), Unavailable, id="request fails"),
        pytest.param("request", error("InvalidBatch"), Unavailable, id="request is refused"),
    ],
)
async def test_a_search_that_fails_is_asked_for_again(call: str, answer: Fault, expected: type[BatchError]) -> None:
    org = Org()
    await org.submit()
    org.faults[call] = [answer]
    with pytest.raises(expected):
        await org.find({"job": J1})
    assert await org.find({"job": J1}) == {"job": J1, "batch": B1}


async def test_a_job_is_closed_when_its_last_batch_is_settled() -> None:
    org = Org()
    first, second = await org.submit(), await org.submit(upload=OTHERS[0])
    await org.destination.close(first)
    assert org.jobs == {J1: "Open"}
    await org.destination.close(second)
    await org.destination.close(second)
    assert (org.jobs, org.steps.count(f"close {J1}")) == ({J1: "Closed"}, 1)


async def test_a_job_of_a_process_that_died_is_closed_once() -> None:
    org = Org()
    org.create()
    await org.destination.close({"job": J1, "batch": B1})
    await org.destination.close({"job": J1, "batch": B2})
    assert org.steps == [f"close {J1}"]


@pytest.mark.parametrize("answer", [error("InvalidJob"), error("InvalidJobState")])
async def test_there_is_nothing_to_close_of_a_job_that_has_ended(answer: httpx.Response) -> None:
    org = Org()
    org.faults["close"] = [answer]
    await org.destination.close({"job": J1, "batch": B1})


async def test_an_abort_ends_the_job_and_later_batches_go_elsewhere() -> None:
    org = Org()
    refs = await org.submit()
    await org.destination.abort(refs)
    await org.destination.abort(refs)
    assert org.jobs == {J1: "Aborted"}
    assert (await org.submit())["job"] == J2


async def test_an_abort_of_an_unknown_job_does_nothing() -> None:
    await Org().destination.abort({"job": J1, "batch": B1})


async def test_the_vendors_list_has_jobs_of_all() -> None:
    org = Org()
    org.create(), org.create()
    org.jobs[J2] = "Aborted"
    found = {job.refs["job"]: (job.word, job.over, job.items) async for job in org.destination.jobs()}
    assert found == {J1: ("Open", False, 7), J2: ("Aborted", True, None)}


async def test_columns_that_the_object_lacks_are_refused_before_sending() -> None:
    """§13, row 15"""
    org = Org()
    good = record("Contact", "update", "003X00000000001AAA", {"LastName": "Berg"})
    bad = record("Contact", "update", "003X00000000002AAA", {"Foo": "x"})
    with pytest.raises(RefusedItems) as refused:
        await org.destination.prepare(org.batch(good, bad))
    assert {row: rejection.code for row, rejection in refused.value.rejections.items()} == {1: "unknown-field"}


async def test_a_refused_batch_has_its_object_described_anew() -> None:
    """§13, row 15"""
    org = Org()
    event = record("Contact", "update", "003X00000000001AAA", {"Gone__c": "x"})
    with_field = {**CONTACT, "fields": [*CONTACT["fields"], {"name": "Gone__c"}]}
    org.faults["describe"] = [httpx.Response(200, json=with_field)]
    await org.destination.prepare(org.batch(event))
    over = Over(word="Failed", processed=0, failed=0, message="InvalidBatch : Field name not found : Gone__c")
    with pytest.raises(Refused):
        [pair async for pair in org.destination.collect({"job": J1, "batch": B1}, over, 1)]
    with pytest.raises(RefusedItems):
        await org.destination.prepare(org.batch(event))


async def test_an_upload_has_the_digest_of_its_body() -> None:
    org = Org()
    upload = await org.destination.prepare(
        org.batch(record("Contact", "update", "003X00000000001AAA", {"lastname": "Berg"}))
    )
    assert upload == UPLOAD


async def test_a_check_reads_and_writes() -> None:
    org = Org()
    assert await org.destination.check() == (
        "Salesforce at acme.my.salesforce.com accepts the user loader@example.com; API version 59.0"
    )
    assert org.steps == ["limits", "close 750000000000000AAA"]


@pytest.mark.parametrize(
    ("call", "answer", "expected"),
    [
        pytest.param("limits", httpx.Response(503), Unavailable, id="reads fail"),
        pytest.param("close", httpx.Response(403, content=b"<html>"), Misconfigured, id="a firewall"),
        pytest.param("close", error("FeatureNotEnabled"), Misconfigured, id="no Bulk API"),
        pytest.param("close", LOST, Unavailable, id="writes are lost"),
    ],
)
async def test_a_check_fails_where_a_batch_would(call: str, answer: Fault, expected: type[BatchError]) -> None:
    org = Org()
    org.faults[call] = [answer]
    with pytest.raises(expected):
        await org.destination.check()
