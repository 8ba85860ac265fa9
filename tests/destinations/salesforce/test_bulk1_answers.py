"""Jobs and batches in XML and JSON."""

from collections.abc import Callable
from datetime import UTC, datetime

import httpx
import pytest

from sluice.destinations.salesforce.bulk1_answers import BatchInfo, read_batch, read_batches, read_job
from tests.destinations.salesforce.bulk1_texts import BATCH, JOB, batch_xml, batches_xml, job_xml

MADE = datetime(2024, 11, 21, 9, 28, 59, tzinfo=UTC)
BATCH_JSON = {
    "apexProcessingTime": 0,
    "createdDate": "2024-11-21T09:28:59.000+0000",
    "id": BATCH,
    "jobId": JOB,
    "numberRecordsFailed": 2,
    "numberRecordsProcessed": 251,
    "state": "Completed",
    "stateMessage": None,
}


def answer(content: str | bytes) -> httpx.Response:
    return httpx.Response(200, content=content)


def test_a_job_is_read_from_xml() -> None:
    """§3.3"""
    job = read_job(answer(job_xml("Closed", queued=1, processed=251)))
    assert (job.id, job.state, job.number_batches_queued, job.number_records_processed) == (JOB, "Closed", 1, 251)


def test_a_job_is_read_from_json_whatever_else_it_has() -> None:
    """§3.3"""
    fields = {"id": JOB, "state": "Open", "apiVersion": 59.0, "externalIdFieldName": None, "fastPathEnabled": True}
    assert read_job(httpx.Response(200, json=fields)).state == "Open"


@pytest.mark.parametrize(
    ("state", "queued", "is_over"),
    [
        pytest.param("Open", 0, False, id="it takes batches"),
        pytest.param("Closed", 1, False, id="one waits"),
        pytest.param("Closed", 0, True, id="§3.10 closed and none waits"),
        pytest.param("Aborted", 0, True, id="aborted"),
    ],
)
def test_a_job_is_over_when_nothing_runs(state: str, queued: int, is_over: bool) -> None:
    assert read_job(answer(job_xml(state, queued=queued))).is_over == is_over


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(batch_xml("Completed", processed=251, failed=2), id="§3.5 XML"),
        pytest.param(httpx.Response(200, json=BATCH_JSON).content, id="§3.5 JSON"),
    ],
)
def test_a_batch_is_read(content: str | bytes) -> None:
    assert read_batch(answer(content)) == BatchInfo(
        id=BATCH,
        state="Completed",
        created_date=MADE,
        number_records_processed=251,
        number_records_failed=2,
    )


def test_a_batch_may_have_a_message() -> None:
    message = "InvalidBatch : Field name not found : Foo"
    assert read_batch(answer(batch_xml("Failed", message=message))).state_message == message


@pytest.mark.parametrize(
    ("content", "states"),
    [
        pytest.param(batches_xml(batch_xml("Queued"), batch_xml("Completed")), ["Queued", "Completed"], id="XML"),
        pytest.param(batches_xml(), [], id="§3.6 empty XML"),
        pytest.param(httpx.Response(200, json={"batchInfo": [BATCH_JSON]}).content, ["Completed"], id="§3.6 JSON"),
        pytest.param(b'{"batchInfo": []}', [], id="empty JSON"),
    ],
)
def test_a_list_of_batches_is_read(content: str | bytes, states: list[str]) -> None:
    assert [batch.state for batch in read_batches(answer(content))] == states


@pytest.mark.parametrize("read", [read_job, read_batch, read_batches])
@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"<html/>",
        b"<batchInfo/>",
        b"{}",
        b"[]",
        b'{"batchInfo": 7}',
        b'{"batchInfo": [7]}',
        b"<batchInfoList><batchInfo><id>../../x</id><state>Queued</state></batchInfo></batchInfoList>",
        b'{"id": "short", "state": "Open"}',
        b"[" * 5000,
    ],
)
def test_what_is_neither_is_refused(read: Callable[[httpx.Response], object], content: bytes) -> None:
    with pytest.raises(ValueError):
        read(answer(content))
