"""Result files: joined by the key alone, in any order and any form, and counted."""

from collections.abc import AsyncIterator

import pytest

from sluice.destinations.salesforce.job_targets import Target
from sluice.destinations.salesforce.result_files import NoKeyColumn, ResultFile, read_result_files
from sluice.destinations.vendor_jobs import Over, ResultsIncomplete
from sluice.flow.outcome import Fate, Outcome
from tests.destinations.salesforce.encoding import ID, encode
from tests.destinations.salesforce.pieces import pieces_of

UPSERT = Target("Contact", "upsert", "Ext__c")
SUCCESSES = b'"sf__Id","sf__Created","Ext__c","LastName"\n"003B","false","b-2 ","Lind"\n"003A","true","9.12E2","x"\n'
FAILURES = b'"sf__Id","sf__Error","Ext__c","LastName"\n"","STRING_TOO_LONG:too long:LastName --","A-3","y"\n'
UNPROCESSED = b'"Ext__c","LastName"\n"A-4","z"\n'


async def _read(
    files: dict[ResultFile, bytes],
    target: Target = UPSERT,
    key_field: str = "Ext__c",
    processed: int = 3,
    failed: int = 1,
    items: int = 4,
) -> list[tuple[object, Outcome | None]]:
    asked: list[str] = []

    def open_file(file: ResultFile) -> AsyncIterator[bytes]:
        asked.append(file)
        return pieces_of(files.get(file, b""), 16)

    over = Over(word="JobComplete", processed=processed, failed=failed)
    found = [row async for row in read_result_files(open_file, target, key_field, over, items)]
    assert ("unprocessedrecords" in asked) == (processed < items)
    return found


async def test_rows_have_the_identities_of_their_items() -> None:
    files: dict[ResultFile, bytes] = {
        "successfulResults": SUCCESSES,
        "failedResults": FAILURES,
        "unprocessedrecords": UNPROCESSED,
    }
    found = dict(await _read(files))
    identities = [encode("upsert", {"Ext__c": key}, {"LastName": "x"}).identity for key in ("912", "B-2", "a-3", "A-4")]
    fates = [(outcome := found[identity]) and (outcome.fate, outcome.code) for identity in identities]
    assert fates == [
        (Fate.DELIVERED, "Created"),
        (Fate.DELIVERED, "Success"),
        (Fate.REJECTED, "STRING_TOO_LONG"),
        None,
    ]


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(f"sf__Id,sf__Created,Id\n{ID},false,{ID[:15]}\n", id="that is repeated"),
        pytest.param(f"sf__Id,sf__Created\n{ID},false\n", id="that is Salesforce's own"),
    ],
)
async def test_row_of_an_update_is_known_by_its_id(body: str) -> None:
    found = await _read({"successfulResults": body.encode()}, Target("Contact", "update"), "Id", 1, 0, 1)
    assert [identity for identity, _ in found] == [encode("update", ID).identity]


async def test_row_of_an_insert_is_known_by_our_identifier() -> None:
    files: dict[ResultFile, bytes] = {"successfulResults": b"sf__Id,sf__Created,Own__c\n003A,true,3-7\n"}
    found = await _read(files, Target("Contact", "insert"), "Own__c", 1, 0, 1)
    identity = encode("insert", None, {"A": "1"}, identifier_fields={"Contact": "Own__c"}).identity
    assert [name for name, _ in found] == [identity]


async def test_file_without_the_key_tells_nothing_and_says_so() -> None:
    files: dict[ResultFile, bytes] = {"successfulResults": b"sf__Id,sf__Created,LastName\n003A,true,Lind\n"}
    with pytest.raises(NoKeyColumn, match=r"the column Ext__c .* got sf__Id, sf__Created, LastName"):
        await _read(files)


@pytest.mark.parametrize(
    "files",
    [
        pytest.param({"successfulResults": SUCCESSES}, id="no failures"),
        pytest.param({"failedResults": FAILURES}, id="no successes"),
        pytest.param({"successfulResults": SUCCESSES[:-24], "failedResults": FAILURES}, id="a success too few"),
    ],
)
async def test_fewer_rows_than_the_job_counts_are_worth_a_new_question(files: dict[ResultFile, bytes]) -> None:
    with pytest.raises(ResultsIncomplete):
        await _read(files)


async def test_empty_file_is_believed_where_the_job_says_the_same() -> None:
    assert len(await _read({"successfulResults": SUCCESSES}, processed=2, failed=0, items=2)) == 2


async def test_row_that_is_too_short_is_worth_a_new_question() -> None:
    with pytest.raises(ResultsIncomplete, match="more than 2 cells, got 2"):
        await _read({"successfulResults": b"sf__Id,sf__Created,Ext__c\n003A,true\n"})
