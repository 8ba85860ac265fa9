"""Values as fields take and show them. salesforce_bulk.md §6."""

import pytest

from tests.sandbox.salesforce.orgs import Served


@pytest.mark.parametrize(
    ("field", "sent", "shown"),
    [
        pytest.param("LastSeen__c", "2024-11-21T09:28:59.123Z", "2024-11-21T09:28:59.123Z", id="§6 date-time in UTC"),
        pytest.param("LastSeen__c", "2024-11-21T09:28:59+02:00", "2024-11-21T07:28:59.000Z", id="§6 with an offset"),
        pytest.param("LastSeen__c", "2024-11-21T09:28:59.123999Z", "2024-11-21T09:28:59.123Z", id="§13 microseconds"),
        pytest.param("Birthdate", "1980-02-29", "1980-02-29", id="§6 date"),
        pytest.param("HasOptedOutOfEmail", "true", "true", id="§6 true"),
        pytest.param("HasOptedOutOfEmail", "0", "false", id="§6 0"),
        pytest.param("HasOptedOutOfEmail", "1", "true", id="§6 1"),
        pytest.param("Score__c", "-1.5e2", "-150.0", id="a number"),
        pytest.param("Description", '"a ""b""\nc, d "', 'a "b"\nc, d ', id="§6 quotes and line breaks, untrimmed"),
    ],
)
async def test_values_are_read_as_documented(salesforce: Served, field: str, sent: str, shown: str) -> None:
    await salesforce.load(f"Ext__c,LastName,{field}\nA-1,Berg,{sent}\n")
    assert await salesforce.query(f"SELECT {field} FROM Contact") == [{field: shown}]


@pytest.mark.parametrize(
    ("field", "sent"),
    [
        pytest.param("LastSeen__c", "21.11.2024", id="a date-time"),
        pytest.param("LastSeen__c", "0001-01-01T00:00:00+23:59", id="a date-time before all"),
        pytest.param("Birthdate", "1981-02-29", id="a date"),
        pytest.param("HasOptedOutOfEmail", "yes", id="a boolean"),
    ],
)
async def test_values_of_the_wrong_type_are_refused(salesforce: Served, field: str, sent: str) -> None:
    assert await salesforce.code(f"LastName,{field}\nBerg,{sent}\n") == "INVALID_TYPE_ON_FIELD_IN_RECORD"
