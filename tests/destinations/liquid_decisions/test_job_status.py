"""Job status: eight states, and any other one runs still."""

from typing import Any

import msgspec
import pytest

from sluice.destinations.contract import Unavailable
from sluice.destinations.liquid_decisions.job_status import expect_status, read_status
from sluice.destinations.vendor_jobs import JobState, Over, Running


def _answer(**fields: Any) -> bytes:
    return msgspec.json.encode({"jobId": "j", "recordsProcessed": "12", "reason": "12 of 14 records", **fields})


def _over(word: str, *, aborted: bool = False) -> Over:
    return Over(word=word, processed=12, failed=0, aborted=aborted, message="12 of 14 records")


@pytest.mark.parametrize(
    ("status", "state"),
    [
        ("Initialized", Running("Initialized", 12)),
        ("Accepted", Running("Accepted", 12)),
        ("Processing", Running("Processing", 12)),
        ("Canceling", Running("Canceling", 12)),
        ("Suspended", Running("Suspended", 12)),
        ("Completed", _over("Completed")),
        ("Rejected", _over("Rejected")),
        ("Failed", _over("Failed")),
        ("Canceled", _over("Canceled", aborted=True)),
    ],
)
def test_each_state(status: str, state: JobState) -> None:
    assert expect_status(_answer(status=status)).state() == state


def test_numbers_come_as_texts_or_numbers_and_a_reason_is_for_people() -> None:
    assert expect_status(_answer(status="Failed", recordsProcessed=3)).records_processed == 3
    state = expect_status(_answer(status="Failed", reason={"a": 1})).state()
    assert isinstance(state, Over)
    assert state.message == ""


@pytest.mark.parametrize("content", [b"", b"<html>", b"[]", b"{}", b'{"jobId":"j"}', b'{"status":"Completed"}'])
def test_an_answer_that_names_no_job_or_state_is_none(content: bytes) -> None:
    assert read_status(content) is None
    with pytest.raises(Unavailable):
        expect_status(content)
