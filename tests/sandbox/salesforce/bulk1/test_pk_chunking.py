"""PK chunking. Ids name rows of salesforce_bulk.md §3.1 and sentences of §3.9."""

import re

import pytest
from msgspec import structs

from sandbox.salesforce.bulk1.pk_chunking import PkChunking, read_pk_chunking, rewrite
from sandbox.salesforce.bulk1.refusal import Refusal
from sandbox.salesforce.settings import Settings
from tests.sandbox.salesforce.bulk1.client import Bulk1, bulk1_org, field, rows

HEADER = "Sforce-Enable-PKChunking"
FIRST, AFTER = "003X00000000001IAA", "003X00000000003IAA"


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        pytest.param("TRUE", PkChunking(), id="§3.1 TRUE"),
        pytest.param("true", PkChunking(chunk_size=100_000), id="§3.9 default 100,000"),
        pytest.param("FALSE", None, id="§3.1 FALSE"),
        pytest.param("", None, id="no header"),
        pytest.param("chunkSize=50", PkChunking(chunk_size=50), id="§3.1 chunkSize=N"),
        pytest.param("chunkSize=50;", PkChunking(chunk_size=50), id="§3.1 chunkSize=N; of salesforce-bulk"),
        pytest.param("true; chunkSize=50", PkChunking(chunk_size=50), id="§3.1 true; chunkSize=N"),
        pytest.param("chunkSize=250000", PkChunking(chunk_size=250_000), id="§3.9 maximum 250,000"),
        pytest.param(
            f"chunkSize=5; parent=Account; startRow={FIRST}",
            PkChunking(chunk_size=5, parent="Account", start_row=FIRST),
            id="§3.1 all three",
        ),
    ],
)
def test_the_header_is_read(header: str, expected: PkChunking | None) -> None:
    assert read_pk_chunking(header) == expected


@pytest.mark.parametrize(
    "header",
    [
        pytest.param(header, id=header)
        for header in ("chunkSize=250001", "chunkSize=0", "chunkSize=x", "chunkSize", "yes", "size=5", "chunkSize=")
    ],
)
def test_a_header_that_cannot_be_read_is_refused(header: str) -> None:
    with pytest.raises(Refusal, match="InvalidJob"):
        read_pk_chunking(header)


@pytest.mark.parametrize(
    ("soql", "narrowed"),
    [
        pytest.param("SELECT Id FROM C", f"SELECT Id FROM C WHERE Id >= '{FIRST}' AND Id < '{AFTER}'", id="no WHERE"),
        pytest.param(
            "select Id from C where A = 'x' OR B = 1",
            f"select Id from C where (A = 'x' OR B = 1) AND Id >= '{FIRST}' AND Id < '{AFTER}'",
            id="a WHERE",
        ),
        pytest.param(
            "SELECT Id FROM C WHERE A = ' where limit 5 \\' x' LIMIT 5",
            f"SELECT Id FROM C WHERE (A = ' where limit 5 \\' x') AND Id >= '{FIRST}' AND Id < '{AFTER}' LIMIT 5",
            id="words inside quotes",
        ),
        pytest.param(
            "SELECT Id FROM C\nORDER BY A",
            f"SELECT Id FROM C WHERE Id >= '{FIRST}' AND Id < '{AFTER}'\nORDER BY A",
            id="an order",
        ),
    ],
)
def test_queries_are_narrowed(soql: str, narrowed: str) -> None:
    assert rewrite(soql, FIRST, AFTER) == narrowed


@pytest.mark.parametrize(
    "soql",
    [
        pytest.param("SELECT Id FROM C" + " " * 5_000_000, id="spaces"),
        pytest.param("SELECT Id FROM C WHERE A = '" + "\\'" * 2_000_000, id="escapes"),
        pytest.param("order " * 1_000_000, id="words"),
    ],
)
def test_long_queries_are_narrowed_at_once(soql: str) -> None:
    """Run into the timeout if the time is quadratic."""
    assert FIRST in rewrite(soql, FIRST, AFTER)


async def _chunked(org: Bulk1, soql: str, header: str) -> tuple[str, list[str]]:
    """Return a job, and the ids of its batches after the posted one has been split."""
    job = await org.create("query", headers={HEADER: header})
    await org.add(job, soql)
    listed = (await org.http.get(f"/job/{job}/batch")).text
    return job, re.findall(r"<id>(\w+)</id>", listed)


async def test_the_posted_batch_ends_as_not_processed_and_each_range_is_a_batch(org: Bulk1) -> None:
    await org.load("insert", "LastName", *(f"N{number}" for number in range(7)))
    job, (posted, *chunks) = await _chunked(org, "SELECT LastName FROM Contact", "chunkSize=3")
    assert await org.state(job, posted) == "NotProcessed"
    assert [await org.state(job, chunk) for chunk in chunks] == ["Completed"] * 3
    names = []
    for chunk in chunks:
        path = f"/job/{job}/batch/{chunk}/result"
        result = field((await org.http.get(path)).text, "result")
        names.append([row[0] for row in rows((await org.http.get(f"{path}/{result}")).text)])
    assert names == [["N0", "N1", "N2"], ["N3", "N4", "N5"], ["N6"]]


async def test_the_request_of_a_chunk_is_the_rewritten_query(org: Bulk1) -> None:
    await org.load("insert", "LastName", "A", "B", "C")
    job, (posted, first, last) = await _chunked(org, "SELECT LastName FROM Contact", "chunkSize=2")
    texts = [(await org.http.get(f"/job/{job}/batch/{one}/request")).text for one in (posted, first, last)]
    assert texts == [
        "SELECT LastName FROM Contact",
        f"SELECT LastName FROM Contact WHERE Id < '{AFTER}'",
        f"SELECT LastName FROM Contact WHERE Id >= '{AFTER}'",
    ]


async def test_the_posted_batch_has_no_result(org: Bulk1) -> None:
    job, (posted, _) = await _chunked(org, "SELECT LastName FROM Contact", "TRUE")
    answer = await org.http.get(f"/job/{job}/batch/{posted}/result")
    assert (answer.status_code, field(answer.text, "exceptionCode")) == (400, "InvalidBatch")


async def test_chunks_start_at_start_row(org: Bulk1) -> None:
    await org.load("insert", "LastName", "A", "B", "C", "D")
    job, (_, *chunks) = await _chunked(org, "SELECT LastName FROM Contact", f"chunkSize=1; startRow={AFTER[:15]}")
    assert len(chunks) == 2
    assert (await org.info(job))["numberRecordsProcessed"] == "2"


@pytest.mark.parametrize("left", [pytest.param(4, id="enough"), pytest.param(3, id="too few")])
async def test_each_chunk_counts_as_a_batch(left: int) -> None:
    async with bulk1_org(Settings(daily_batches=1 + left)) as org:
        await org.load("insert", "LastName", "A", "B", "C")
        job, (posted, *chunks) = await _chunked(org, "SELECT LastName FROM Contact", "chunkSize=1")
        found = await org.info(job, posted)
        assert (found["state"], len(chunks)) == (("NotProcessed", 3) if left == 4 else ("Failed", 0))
        assert left == 4 or found["stateMessage"].startswith("ExceededQuota : ")


async def test_a_query_that_is_refused_fails_the_posted_batch(org: Bulk1) -> None:
    job, batches = await _chunked(org, "SELECT Foo FROM Contact", "TRUE")
    assert [await org.state(job, batch) for batch in batches] == ["Failed"]


@pytest.mark.parametrize("phase", ["queued_s", "in_progress_s"])
async def test_an_aborted_job_makes_no_chunks(phase: str) -> None:
    async with bulk1_org(structs.replace(Settings(), **{phase: 10.0})) as org:
        job, [posted] = await _chunked(org, "SELECT LastName FROM Contact", "TRUE")
        await org.change(job, "Aborted")
        await org.control.advance(20)
        found = await org.info(job)
        assert (await org.state(job, posted), found["numberBatchesTotal"]) == ("NotProcessed", "1")


async def test_loads_do_not_care_for_the_header(org: Bulk1) -> None:
    job = await org.create(headers={HEADER: "TRUE"})
    answer = await org.post_batch(job, "LastName\nA")
    assert await org.state(job, field(answer.text, "id")) == "Completed"
