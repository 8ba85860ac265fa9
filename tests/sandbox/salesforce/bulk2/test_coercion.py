"""Echoed values that the service changes. salesforce_bulk.md §13.1."""

import pytest

from sandbox.salesforce.faults import CoerceEcho
from tests.sandbox.salesforce.orgs import Served


@pytest.mark.parametrize(
    ("field", "sent", "shown"),
    [
        pytest.param("LastSeen__c", "2024-11-21T09:28:59+02:00", "2024-11-21T07:28:59.000Z", id="§13.1 an instant"),
        pytest.param("LastSeen__c", "2024-11-21T09:28:59.123456Z", "2024-11-21T09:28:59.123Z", id="§13.1 microseconds"),
        pytest.param("LastSeen__c", "#N/A", "#N/A", id="no instant"),
        pytest.param("Score__c", "10", "10.0", id="§13.1 a number"),
        pytest.param("Score__c", "", "", id="no number"),
        pytest.param("Title", " Dr ", "Dr", id="§13.1 blanks"),
        pytest.param("Title", '"a ""b"", c "', 'a "b", c', id="quotes"),
        pytest.param("Title", "10", "10", id="a text of digits"),
    ],
)
async def test_an_echoed_value_is_changed_by_its_type(salesforce: Served, field: str, sent: str, shown: str) -> None:
    job = await salesforce.load(f"Ext__c,LastName,{field}\nA-1,Berg,{sent}\n")
    await salesforce.control.add_fault(CoerceEcho())
    [row] = await salesforce.results(job)
    assert row[field] == shown


async def test_the_key_column_and_the_services_own_stay_as_they_are(salesforce: Served) -> None:
    await salesforce.control.add_fault(CoerceEcho(times=2))
    job = await salesforce.load('Ext__c,LastName\n" A-1 ",\n 10 ,Berg\n')
    [failed], [done] = await salesforce.results(job, "failedResults"), await salesforce.results(job)
    assert (failed["Ext__c"], done["Ext__c"]) == (" A-1 ", " 10 ")
    assert failed["sf__Error"].endswith(" --")


async def test_results_of_an_insert_are_joined_by_no_key(salesforce: Served) -> None:
    await salesforce.control.add_fault(CoerceEcho())
    [row] = await salesforce.results(await salesforce.load("Ext__c,LastName\n A-1,Berg\n", "insert"))
    assert row["Ext__c"] == "A-1"
