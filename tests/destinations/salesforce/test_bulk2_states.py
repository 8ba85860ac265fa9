"""States of jobs: every state of salesforce_bulk.md §4.1, with few calls."""

from collections.abc import Sequence
from typing import Any

import httpx
import pytest

from sluice.destinations.contract import BatchError, Misconfigured, Unavailable
from sluice.destinations.salesforce.bulk2_calls import Bulk2Calls
from sluice.destinations.salesforce.bulk2_states import MAX_TARGETS, Bulk2States
from sluice.destinations.salesforce.job_targets import Target
from sluice.destinations.vendor_jobs import Gone, JobState, Over, Running
from tests.destinations.salesforce.bulk2_texts import JOB, NOT_FOUND, job, job_json, rest_error
from tests.destinations.salesforce.offline import Answer, calls

NEXT = "/services/data/v59.0/jobs/ingest?queryLocator=abc"


def ids(count: int, start: int = 0) -> list[str]:
    return [f"750{number:012}" for number in range(start, start + count)]


def states_of(answer: Answer | httpx.Response, requests: list[httpx.Request] | None = None) -> Bulk2States:
    client = calls(answer, requests)
    return Bulk2States(client, Bulk2Calls(client))


async def poll(states: Bulk2States, *jobs: str) -> list[tuple[str, JobState]]:
    return [(refs["job"], state) async for refs, state in states.poll([{"job": one} for one in jobs])]


class Listing:
    """An org whose list has pages of jobs; all are over when they are asked for alone."""

    def __init__(self, *pages: Sequence[dict[str, Any]]) -> None:
        self.pages = pages
        self.asked: list[str] = []
        self.states = states_of(self.answer)

    def answer(self, request: httpx.Request) -> httpx.Response:
        name = request.url.path.split("/")[-1]
        if name != "ingest":
            self.asked.append(name)
            return job("JobComplete", job=name, processed=1)
        number = self.asked.count("list")
        self.asked.append("list")
        more = NEXT if number + 1 < len(self.pages) else None
        return httpx.Response(200, json={"done": not more, "records": self.pages[number], "nextRecordsUrl": more})


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        pytest.param(job("Open"), Running("Open"), id="§4.1 Open"),
        pytest.param(job("UploadComplete"), Running("UploadComplete"), id="§4.1 UploadComplete"),
        pytest.param(job("InProgress", processed=200), Running("InProgress", 200), id="§4.1 InProgress"),
        pytest.param(
            job("JobComplete", processed=251, failed=2),
            Over(word="JobComplete", processed=251, failed=2),
            id="§4.1 JobComplete",
        ),
        pytest.param(
            job("JobComplete", processed=5, errorMessage="Too many lock failure"),
            Over(word="JobComplete", processed=5, failed=0, message="Too many lock failure"),
            id="§13 row 6 with a message",
        ),
        pytest.param(
            job("Failed", errorMessage="InvalidBatch : Field name not found : Foo"),
            Over(word="Failed", processed=0, failed=0, message="InvalidBatch : Field name not found : Foo"),
            id="§4.1 Failed",
        ),
        pytest.param(
            job("Aborted", processed=3),
            Over(word="Aborted", processed=3, failed=0, aborted=True),
            id="§4.1 Aborted",
        ),
        pytest.param(job("Resting"), Running("Resting"), id="a state that the document does not name"),
    ],
)
async def test_each_state_has_its_meaning(answer: httpx.Response, expected: JobState) -> None:
    assert await poll(states_of(answer), JOB) == [(JOB, expected)]


@pytest.mark.parametrize("code", ["NOT_FOUND", "INVALIDJOB"])
async def test_a_job_that_the_org_does_not_know_is_gone(code: str) -> None:
    [(_, state)] = await poll(states_of(rest_error(code, status=404)), JOB)
    assert isinstance(state, Gone)


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        pytest.param(httpx.Response(404, html="<p>no route"), Misconfigured, id="a proxy's 404"),
        pytest.param(rest_error("API_ERROR"), Unavailable, id="§4.3 refused"),
        pytest.param(rest_error("UNKNOWN_EXCEPTION", status=500), Unavailable, id="§4.3 fails"),
        pytest.param(httpx.Response(200, json={}), Unavailable, id="no job"),
    ],
)
async def test_what_cannot_be_seen_is_asked_again(answer: httpx.Response, expected: type[BatchError]) -> None:
    with pytest.raises(expected):
        await poll(states_of(answer), JOB)


@pytest.mark.parametrize("count", [1, 2])
async def test_a_job_or_two_are_asked_for_alone(count: int) -> None:
    org = Listing([])
    assert len(await poll(org.states, *ids(count))) == count
    assert org.asked == ids(count)


async def test_many_jobs_are_seen_in_the_list_and_those_that_are_over_asked_for_alone() -> None:
    """§4.1: the list has no counts."""
    ours = ids(9)
    listed = [job_json("JobComplete" if one == ours[4] else "InProgress", job=one) for one in reversed(ours)]
    org = Listing([*listed, job_json(job=JOB)])
    found = dict(await poll(org.states, *ours))
    assert org.asked == ["list", ours[4]]
    assert found == {
        one: Over(word="JobComplete", processed=1, failed=0) if one == ours[4] else Running("InProgress")
        for one in ours
    }


async def test_the_list_is_followed_until_all_are_seen() -> None:
    ours = ids(6)
    pages = [[job_json("InProgress", job=one) for one in ours[at : at + 2]] for at in (4, 2, 0, 0)]
    org = Listing(*pages)
    assert await poll(org.states, *ours) == [(one, Running("InProgress")) for one in ours]
    assert org.asked == ["list"] * 3


async def test_a_list_that_names_few_of_ours_is_left() -> None:
    """The jobs of a week of everybody stand in it."""
    ours = ids(3)
    org = Listing([job_json("InProgress", job=one) for one in [ours[0], *ids(50, 100)]], [])
    assert [one for one, _ in await poll(org.states, *ours)] == ours
    assert org.asked == ["list", *ours[1:]]


async def test_one_job_that_cannot_be_seen_hides_no_other() -> None:
    ours = ids(2)

    def answer(request: httpx.Request) -> httpx.Response:
        return httpx.Response(503) if request.url.path.endswith(ours[0]) else job("InProgress", job=ours[1])

    states = states_of(answer).poll([{"job": one} for one in ours])
    refs, _ = await anext(states)
    assert refs == {"job": ours[1]}
    with pytest.raises(Unavailable):
        await anext(states)


async def test_an_outage_is_not_asked_job_by_job() -> None:
    requests: list[httpx.Request] = []
    with pytest.raises(Unavailable):
        await poll(states_of(httpx.Response(503), requests), *ids(2))
    assert len(requests) == 2
    with pytest.raises(Unavailable):
        await poll(states_of(httpx.Response(503), requests), *ids(50))
    assert len(requests) == 3


async def test_what_a_job_is_for_is_known_once_it_is_over() -> None:
    requests: list[httpx.Request] = []
    states = states_of(job("JobComplete"), requests)
    await poll(states, JOB)
    assert await states.target(JOB) == Target("Contact", "upsert", "Ext__c")
    assert len(requests) == 1
    states.forget(JOB)
    assert await states.target(JOB) == Target("Contact", "upsert", "Ext__c")
    assert len(requests) == 2


async def test_what_is_remembered_of_jobs_has_a_bound() -> None:
    states = states_of(lambda request: job("JobComplete", job=request.url.path[-15:]))
    for one in ids(MAX_TARGETS + 5):
        await states.target(one)
    assert len(states._targets) == MAX_TARGETS


async def test_a_job_that_is_gone_has_no_target() -> None:
    with pytest.raises(BatchError):
        await states_of(NOT_FOUND).target(JOB)
