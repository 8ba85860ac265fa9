"""CSV that is taken or fails its batch. salesforce_bulk.md §6, §7, §13."""

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


async def test_a_byte_order_mark_is_part_of_the_first_header(salesforce: Served) -> None:
    """§13.8"""
    failure = await salesforce.failure("\ufeffExt__c,LastName\nA-1,Berg\n", "upsert")
    assert failure == "InvalidBatch : Field name not found : \ufeffExt__c"


async def test_a_blank_beside_a_quote_is_an_error_for_its_row_alone(salesforce: Served) -> None:
    """§13.8"""
    job = await salesforce.load('Ext__c,LastName\nA-1,Berg\n\nA-2,"Lind" \nA-3,#N/A\nA-4,"Falk"\n')
    errors = await salesforce.errors(job)
    assert {key: text.split(":")[0] for key, text in errors.items()} == {
        "A-2": "INVALID_FIELD",
        "A-3": "REQUIRED_FIELD_MISSING",
    }
    assert sorted(row["Ext__c"] for row in await salesforce.results(job)) == ["A-1", "A-4"]


async def test_a_row_that_cannot_be_read_takes_no_other_with_it(salesforce: Served) -> None:
    job = await salesforce.load('Ext__c,LastName\nA-1, "Berg"\nA-1,Lind\n')
    assert [row["LastName"] for row in await salesforce.results(job)] == ["Lind"]
