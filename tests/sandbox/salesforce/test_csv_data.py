"""CSV that is taken or fails its batch. salesforce_bulk.md §6, §7."""

import pytest

from tests.sandbox.salesforce.orgs import Served


@pytest.mark.parametrize(
    "csv",
    [
        pytest.param('LastName\n"Berg" \n', id="§6 space behind a quote"),
        pytest.param('LastName\n "Berg"\n', id="§6 space before a quote"),
        pytest.param('LastName\n"Berg\n', id="an open quote"),
        pytest.param("LastName\nBerg,x\n", id="a value too many"),
        pytest.param(f"Description\n{'x' * 131_073}\n", id="§7 131,072 per field"),
        pytest.param(
            "LastName,Description,Title,Phone\n" + ",".join(["x" * 100_001] * 4) + "\n", id="§7 400,000 per record"
        ),
        pytest.param(",".join(f"f{number}" for number in range(5001)) + "\n", id="§7 5,000 fields"),
        pytest.param(
            ",".join(f"field{number:04}" for number in range(3600)) + "\n", id="§12 header row of 32,000 characters"
        ),
    ],
)
async def test_csv_that_cannot_be_read_fails_the_batch_whole(salesforce: Served, csv: str) -> None:
    assert (await salesforce.failure(csv)).startswith("InvalidBatch : Failed to parse CSV")
    assert (await salesforce.control.summary()).entries == 0


async def test_the_longest_field_is_taken(salesforce: Served) -> None:
    job = await salesforce.load(f"LastName,Description\nBerg,{'x' * 131_072}\n", "insert")
    assert len(await salesforce.results(job)) == 1


async def test_spaces_and_quotes_inside_quotes_are_data(salesforce: Served) -> None:
    await salesforce.load('Ext__c,LastName\nA-1," ""Berg"" x"\n')
    assert await salesforce.query("SELECT LastName FROM Contact") == [{"LastName": ' "Berg" x'}]


async def test_bytes_that_are_not_utf_8_fail_the_job(salesforce: Served) -> None:
    job = await salesforce.create("insert")
    await salesforce.upload(job, b"LastName\nB\xffrg\n")
    await salesforce.patch(job, "UploadComplete")
    assert (await salesforce.info(job))["errorMessage"].startswith("InvalidBatch : Failed to parse CSV")
