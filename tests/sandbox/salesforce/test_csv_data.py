"""CSV that is taken or fails its batch. salesforce_bulk.md §6, §7."""

import pytest

from tests.sandbox.salesforce.orgs import BAD_CSV, Served


@pytest.mark.parametrize("csv", BAD_CSV)
async def test_csv_that_cannot_be_read_fails_the_batch_whole(salesforce: Served, csv: str | bytes) -> None:
    assert (await salesforce.failure(csv)).startswith("InvalidBatch : Failed to parse CSV")
    assert (await salesforce.control.summary()).entries == 0


async def test_the_longest_field_is_taken(salesforce: Served) -> None:
    job = await salesforce.load(f"LastName,Description\nBerg,{'x' * 131_072}\n", "insert")
    assert len(await salesforce.results(job)) == 1


async def test_spaces_and_quotes_inside_quotes_are_data(salesforce: Served) -> None:
    await salesforce.load('Ext__c,LastName\nA-1," ""Berg"" x"\n')
    assert await salesforce.query("SELECT LastName FROM Contact") == [{"LastName": ' "Berg" x'}]
