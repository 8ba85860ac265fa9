"""States of batches: every state of salesforce_bulk.md §3.10, asked for job by job."""

import httpx
import pytest

from sluice.destinations.contract import BatchError, Misconfigured, Unavailable
from sluice.destinations.salesforce.bulk1_calls import Bulk1Calls
from sluice.destinations.salesforce.bulk1_states import Bulk1States
from sluice.destinations.vendor_jobs import Gone, JobState, Over, Refs, Running
from tests.destinations.salesforce.bulk1_texts import BATCH, JOB, batch_xml, batches_xml, job_xml
from tests.destinations.salesforce.offline import Answer, calls, error, xml

OTHER = "751X000000BATCHOTH"
SECOND = "750X0000000SECONDA"
THIRD = "750X00000000THIRDA"


def refs(job: str = JOB, batch: str = BATCH) -> Refs:
    return {"job": job, "batch": batch}


async def poll(answer: Answer | httpx.Response, *jobs: Refs) -> list[tuple[Refs, JobState]]:
    states = Bulk1States(Bulk1Calls(calls(answer), "CSV"))
    return [found async for found in states.poll(jobs)]


@pytest.mark.parametrize(
    ("batch", "expected"),
    [
        pytest.param(batch_xml("Queued"), Running("Queued"), id="§3.10 Queued"),
        pytest.param(batch_xml("InProgress", processed=200), Running("InProgress", 200), id="§3.10 InProgress"),
        pytest.param(
            batch_xml("Completed", processed=251, failed=2),
            Over(word="Completed", processed=251, failed=2),
            id="§3.10 Completed",
        ),
        pytest.param(
            batch_xml("Completed", processed=5, message="Too many lock failure"),
            Over(word="Completed", processed=5, failed=0, message="Too many lock failure"),
            id="§13.6 Completed with a message",
        ),
        pytest.param(
            batch_xml("Failed", message="InvalidBatch : Field name not found : Foo"),
            Over(word="Failed", processed=0, failed=0, message="InvalidBatch : Field name not found : Foo"),
            id="§3.10 Failed",
        ),
        pytest.param(batch_xml("Resting"), Running("Resting"), id="a state that the document does not name"),
    ],
)
async def test_each_state_has_its_meaning(batch: str, expected: JobState) -> None:
    assert await poll(xml(batches_xml(batch)), refs()) == [(refs(), expected)]


@pytest.mark.parametrize("word", ["NotProcessed", "Not Processed"])
@pytest.mark.parametrize(("state", "aborted"), [("Aborted", True), ("Closed", False)])
async def test_a_batch_that_was_not_processed_is_over_and_its_job_says_why(
    word: str, state: str, aborted: bool
) -> None:
    """§3.9, §3.10"""

    def answer(request: httpx.Request) -> httpx.Response:
        return xml(batches_xml(batch_xml(word)) if request.url.path.endswith("/batch") else job_xml(state))

    [(_, found)] = await poll(answer, refs())
    assert found == Over(word="NotProcessed", processed=0, failed=0, aborted=aborted)


async def test_one_call_tells_all_batches_of_a_job() -> None:
    requests: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        requests.append(request)
        return xml(batches_xml(batch_xml(), batch_xml("Completed", batch=OTHER)))

    found = await poll(answer, refs(), refs(SECOND), refs(batch=OTHER))
    assert [(names["job"], names["batch"]) for names, _ in found] == [(JOB, BATCH), (JOB, OTHER), (SECOND, BATCH)]
    assert len(requests) == 2


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        pytest.param("Open", Running("Open", 251), id="it takes batches"),
        pytest.param("Closed", Over(word="Closed", processed=251, failed=0), id="closed and none runs"),
        pytest.param("Aborted", Over(word="Aborted", processed=251, failed=0, aborted=True), id="aborted"),
    ],
)
async def test_a_whole_job_may_be_asked_about(state: str, expected: JobState) -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        return xml(batches_xml() if request.url.path.endswith("/batch") else job_xml(state, processed=251))

    assert await poll(answer, {"job": JOB}) == [({"job": JOB}, expected)]


@pytest.mark.parametrize(
    "unknown",
    [
        pytest.param(error("InvalidJob", "Unable to find object"), id="§3.11 InvalidJob"),
        pytest.param(httpx.Response(404, json=[{"errorCode": "NOT_FOUND", "message": "no"}]), id="§13.17 404"),
    ],
)
async def test_an_unknown_job_is_gone_with_all_its_batches(unknown: httpx.Response) -> None:
    found = await poll(unknown, refs(), refs(batch=OTHER))
    assert [type(state) for _, state in found] == [Gone, Gone]


async def test_a_batch_that_the_list_lacks_is_asked_for_alone() -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith(OTHER):
            return xml(batch_xml("Queued", batch=OTHER))
        return error("InvalidBatch") if request.url.path.endswith(BATCH) else xml(batches_xml())

    [(_, gone), (_, waits)] = await poll(answer, refs(), refs(batch=OTHER))
    assert isinstance(gone, Gone)
    assert waits == Running("Queued")


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        pytest.param(httpx.Response(503), Unavailable, id="503"),
        pytest.param(httpx.Response(404, content=b"<html>"), Misconfigured, id="404 of a proxy"),
        pytest.param(error("SomethingNew"), Unavailable, id="a refusal that says nothing of the job"),
        pytest.param(error("ExceededQuota"), Unavailable, id="quota"),
    ],
)
async def test_what_cannot_be_seen_is_asked_again(answer: httpx.Response, expected: type[BatchError]) -> None:
    with pytest.raises(expected):
        await poll(answer, refs())


async def test_one_job_that_cannot_be_asked_does_not_hide_the_others() -> None:
    asked: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request.url.path.split("/")[5])
        return xml(batches_xml(batch_xml())) if SECOND in request.url.path else httpx.Response(500)

    found: list[str] = []
    with pytest.raises(Unavailable):
        await note(answer, found, refs(), refs(SECOND), refs(THIRD), refs("750X0000000FOURTHA"))
    assert (found, asked) == ([SECOND], [JOB, SECOND, THIRD])


async def note(answer: Answer, found: list[str], *jobs: Refs) -> None:
    async for names, _ in Bulk1States(Bulk1Calls(calls(answer), "CSV")).poll(jobs):
        found.append(names["job"])
