"""Results of a batch: joined by position, and only when all are there."""

import httpx
import pytest

from sluice.destinations.contract import Misconfigured, Refused, Unavailable
from sluice.destinations.salesforce.bulk1_calls import Bulk1Calls
from sluice.destinations.salesforce.bulk1_results import Bulk1Results
from sluice.destinations.vendor_jobs import Over, ResultsGone, ResultsIncomplete
from sluice.events import Operation
from sluice.flow.outcome import Fate, Outcome
from tests.destinations.salesforce.bulk1_texts import BATCH, JOB, job_xml, result_csv
from tests.destinations.salesforce.offline import Answer, calls, error, xml

COMPLETED = Over(word="Completed", processed=2, failed=1)
ROWS = [("003X00000000001AAA", "true", "true", ""), ("", "false", "false", "REQUIRED_FIELD_MISSING:no:LastName --")]


async def collect(
    answer: Answer | httpx.Response,
    over: Over = COMPLETED,
    items: int = 2,
    requests: list[httpx.Request] | None = None,
    operation: Operation | None = "upsert",
) -> list[tuple[object, Outcome | None]]:
    results = Bulk1Results(Bulk1Calls(calls(answer, requests), "CSV"), "CSV")
    if operation is not None:
        results.learn(JOB, operation)
    return [found async for found in results.collect({"job": JOB, "batch": BATCH}, over, items)]


def results(*rows: tuple[str, str, str, str]) -> httpx.Response:
    return httpx.Response(200, content=result_csv(*rows), headers={"content-type": "text/csv"})


async def test_outcomes_have_the_position_of_their_record() -> None:
    """§3.7"""
    [(first, delivered), (second, rejected)] = await collect(results(*ROWS))
    assert delivered is not None
    assert rejected is not None
    assert (first, delivered.fate, delivered.record_id) == (0, Fate.DELIVERED, "003X00000000001AAA")
    assert (second, rejected.fate, rejected.code) == (1, Fate.REJECTED, "REQUIRED_FIELD_MISSING")


@pytest.mark.parametrize(
    ("operation", "fate"), [pytest.param("delete", Fate.SKIPPED, id="delete"), ("update", Fate.REJECTED)]
)
async def test_the_operation_of_a_job_of_before_a_restart_is_asked_for(operation: str, fate: Fate) -> None:
    """§5: a record that is deleted already is what a delete wants"""
    requests: list[httpx.Request] = []
    rows = result_csv(("", "false", "false", "ENTITY_IS_DELETED:entity is deleted:--"))

    def answer(request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith(JOB):
            return xml(job_xml().replace("upsert", operation))
        return httpx.Response(200, content=rows, headers={"content-type": "text/csv"})

    [(_, outcome)] = await collect(answer, items=1, requests=requests, operation=None)
    assert outcome is not None
    assert (outcome.fate, outcome.code, len(requests)) == (fate, "ENTITY_IS_DELETED", 2)


@pytest.mark.parametrize(
    "over",
    [
        pytest.param(Over(word="Failed", processed=1, failed=0, message="Timeout : no"), id="§3.10 part was written"),
        pytest.param(Over(word="Completed", processed=2, failed=0, message="locks"), id="§13.6 with a message"),
    ],
)
async def test_a_batch_that_wrote_something_tells_by_its_rows(over: Over) -> None:
    assert len(await collect(results(*ROWS), over)) == 2


@pytest.mark.parametrize(
    "rows", [pytest.param(ROWS[:1], id="one short"), pytest.param(ROWS * 2, id="too many"), pytest.param([], id="none")]
)
async def test_a_wrong_count_means_that_no_position_can_be_trusted(rows: list[tuple[str, str, str, str]]) -> None:
    """§13, row 5"""
    with pytest.raises(ResultsIncomplete, match="expected results for 2 rows"):
        await collect(results(*rows))


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        pytest.param(error("InvalidBatch", "Records not processed"), ResultsIncomplete, id="§13.5 they lag the state"),
        pytest.param(error("InvalidJob"), ResultsGone, id="the job is deleted"),
        pytest.param(
            httpx.Response(404, json=[{"errorCode": "NOT_FOUND", "message": "no"}]), ResultsGone, id="§13.17 deleted"
        ),
        pytest.param(httpx.Response(404, content=b"<html>"), Misconfigured, id="404 of a proxy"),
        pytest.param(httpx.Response(503), Unavailable, id="503"),
        pytest.param(error("SomethingNew"), Unavailable, id="another refusal"),
    ],
)
async def test_results_that_do_not_come(answer: httpx.Response, expected: type[Exception]) -> None:
    with pytest.raises(expected):
        await collect(answer)


async def test_a_batch_that_was_not_processed_has_touched_nothing() -> None:
    """§3.10"""
    requests: list[httpx.Request] = []
    over = Over(word="NotProcessed", processed=0, failed=0, aborted=True)
    assert await collect(results(), over, requests=requests) == [(0, None), (1, None)]
    assert requests == []


async def test_a_batch_that_failed_whole_is_refused_for_one_of_its_records() -> None:
    """§3.10, §12"""
    over = Over(word="Failed", processed=0, failed=0, message="InvalidBatch : Field name not found : Foo")
    with pytest.raises(Refused) as refused:
        await collect(results(), over)
    assert refused.value.code == "InvalidBatch"


async def test_a_batch_that_failed_whole_for_another_reason_is_tried_again() -> None:
    """§12"""
    over = Over(word="Failed", processed=0, failed=0, message="Timeout : too long")
    [(_, first), (_, second)] = await collect(results(), over)
    assert first == second == Outcome(Fate.RETRYABLE, "Timeout", "Timeout : too long")
