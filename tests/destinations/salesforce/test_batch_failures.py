"""Batches that failed before their first record: every code of salesforce_bulk.md §3.10, §3.11 and §12."""

import pytest

from sluice.destinations.contract import Refused
from sluice.destinations.salesforce.batch_failures import failure_of
from sluice.destinations.vendor_jobs import Over
from sluice.flow.outcome import Fate, Outcome


def failed(message: str) -> Over:
    return Over(word="Failed", processed=0, failed=0, message=message)


@pytest.mark.parametrize(
    "message",
    [
        pytest.param("InvalidBatch : Field name not found : Foo", id="§3.10 an unknown field"),
        pytest.param("InvalidBatch : The 'delete' batch must contain only ids", id="§3.10 not ids only"),
        pytest.param(
            "InvalidBatch : Exceeded number of records: 10002. Number of records should be less than or equal to 10001",
            id="§3.10 too many",
        ),
        pytest.param("InvalidBatch: Records not processed", id="§13.14 a JSON job"),
        pytest.param("ClientInputError : Failed to read request", id="malformed content"),
        pytest.param("FeatureNotEnabled : no", id="no permission"),
        pytest.param("SomethingNew", id="a code that the document does not name"),
    ],
)
def test_a_batch_with_a_bad_record_is_refused(message: str) -> None:
    failure = failure_of(failed(message))
    assert isinstance(failure, Refused)
    assert failure.code == message.partition(":")[0].strip()
    assert message in str(failure)


@pytest.mark.parametrize(
    ("message", "code"),
    [
        pytest.param("Timeout : took too long", "Timeout", id="§3.11 Timeout"),
        pytest.param("TooManyLockFailure : Too many lock failure 200", "TooManyLockFailure", id="§3.11 locks"),
        pytest.param("InternalServerError : An unexpected error occurred", "InternalServerError", id="§3.11 trouble"),
        pytest.param("Unknown", "Unknown", id="§3.11 Unknown"),
        pytest.param("ExceededQuota : ApiBatchItems Limit exceeded.", "ExceededQuota", id="§12 quota"),
        pytest.param("", "Failed", id="no message"),
        pytest.param("we could not do it, sorry", "Failed", id="no code"),
    ],
)
def test_a_failure_that_passes_uses_up_an_attempt(message: str, code: str) -> None:
    assert failure_of(failed(message)) == Outcome(Fate.RETRYABLE, code, message)
