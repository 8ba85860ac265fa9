"""Errors of rows: read from their text, and what each becomes."""

import pytest

from sluice.destinations.salesforce.row_errors import RETRYABLE, RowError, failure, read_error, success
from sluice.events import Operation
from sluice.flow.outcome import Fate, Outcome


@pytest.mark.parametrize(
    ("text", "error"),
    [
        pytest.param(
            "REQUIRED_FIELD_MISSING:Required fields are missing: [LastName]:LastName --",
            RowError("REQUIRED_FIELD_MISSING", "Required fields are missing: [LastName]", ("LastName",)),
            id="with a field",
        ),
        pytest.param("A:m:B,Account.Ext__c --", RowError("A", "m", ("B", "Account.Ext__c")), id="with fields"),
        pytest.param(
            "ENTITY_IS_DELETED:entity is deleted:--", RowError("ENTITY_IS_DELETED", "entity is deleted"), id="no"
        ),
        pytest.param("A:at 12:30 o'clock", RowError("A", "at 12:30 o'clock"), id="words behind the last colon"),
        pytest.param("A:line 1\nline 2:B --", RowError("A", "line 1\nline 2", ("B",)), id="two lines"),
        pytest.param("ODD", RowError("ODD", ""), id="a code alone"),
        pytest.param("  ", None, id="none"),
    ],
)
def test_error_is_read(text: str, error: RowError | None) -> None:
    assert read_error(text) == error


@pytest.mark.parametrize(
    ("operation", "code", "message", "fate"),
    [
        *[pytest.param("update", code, "", Fate.RETRYABLE, id=code) for code in sorted(RETRYABLE)],
        pytest.param(
            "update",
            "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY",
            "T: execution of AfterUpdate caused by: UNABLE_TO_LOCK_ROW, unable to obtain exclusive access",
            Fate.RETRYABLE,
            id="a trigger that met a lock",
        ),
        pytest.param(
            "update",
            "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY",
            "T: NullPointer",
            Fate.REJECTED,
            id="a trigger that failed",
        ),
        pytest.param("delete", "ENTITY_IS_DELETED", "", Fate.SKIPPED, id="a delete of what is deleted"),
        pytest.param("update", "ENTITY_IS_DELETED", "", Fate.REJECTED, id="an update of what is deleted"),
        *[
            pytest.param("upsert", code, "", Fate.REJECTED, id=code)
            for code in (
                "REQUIRED_FIELD_MISSING",
                "INVALID_FIELD_FOR_INSERT_UPDATE",
                "INVALID_FIELD",
                "STRING_TOO_LONG",
                "NUMBER_OUTSIDE_VALID_RANGE",
                "INVALID_EMAIL_ADDRESS",
                "INVALID_TYPE_ON_FIELD_IN_RECORD",
                "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST",
                "FIELD_CUSTOM_VALIDATION_EXCEPTION",
                "DUPLICATE_VALUE",
                "DUPLICATES_DETECTED",
                "DUPLICATE_EXTERNAL_ID",
                "MALFORMED_ID",
                "INVALID_CROSS_REFERENCE_KEY",
                "INSUFFICIENT_ACCESS_OR_READONLY",
                "DELETE_FAILED",
                "A_CODE_THAT_NOBODY_KNOWS",
            )
        ],
    ],
)
def test_row_without_success_becomes(operation: Operation, code: str, message: str, fate: Fate) -> None:
    outcome = failure(operation, RowError(code, message), "003")
    assert (outcome.fate, outcome.code, outcome.message, outcome.record_id) == (fate, code, message, "003")


def test_rejection_names_the_fields() -> None:
    outcome = failure("insert", RowError("STRING_TOO_LONG", "Last Name: too long", ("LastName", "Email")), None)
    assert outcome.message == "Last Name: too long (fields: LastName, Email)"


def test_row_that_says_nothing_is_ambiguous() -> None:
    assert failure("insert", None, None).fate is Fate.AMBIGUOUS


def test_row_with_success_is_delivered() -> None:
    assert success("003", created=True) == Outcome(Fate.DELIVERED, "Created", record_id="003")
    assert success("003", created=False).code == "Success"
