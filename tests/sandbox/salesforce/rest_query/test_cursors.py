"""Pages of a query after the first. [assumed]"""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from sandbox.salesforce.settings import Settings
from tests.sandbox.salesforce.orgs import Served, error_of, org
from tests.sandbox.salesforce.rest_query.client import DATA, find


@pytest_asyncio.fixture(name="paged")
async def _paged() -> AsyncIterator[Served]:
    """Yield an org with five contacts, two to a page."""
    async with org(Settings(rest_page_rows=2, query_cursor_s=60, max_query_cursors=2)) as served:
        await served.load("Ext__c,LastName\n" + "".join(f"K-{number},Berg\n" for number in range(5)))
        yield served


FIVE = "SELECT Ext__c FROM Contact ORDER BY Ext__c DESC"


async def test_pages_follow_next_records_url_until_done(paged: Served) -> None:
    page = await find(paged, FIVE)
    keys = [record["Ext__c"] for record in page["records"]]
    while not page["done"]:
        assert page["totalSize"] == 5
        page = (await paged.http.get(page["nextRecordsUrl"])).json()
        keys += [record["Ext__c"] for record in page["records"]]
    assert keys == ["K-4", "K-3", "K-2", "K-1", "K-0"]
    assert "nextRecordsUrl" not in page


async def test_a_page_may_be_read_again_and_no_write_moves_it(paged: Served) -> None:
    url = (await find(paged, FIVE))["nextRecordsUrl"]
    before = (await paged.http.get(url)).json()
    await paged.load("Ext__c,LastName\nK-9,Lind\n")
    assert (await paged.http.get(url)).json() == before


async def test_a_page_holds_2000_records(salesforce: Served) -> None:
    await salesforce.load("LastName\n" + "Berg\n" * 2001, "insert")
    page = await find(salesforce, "SELECT Id FROM Contact")
    assert (page["totalSize"], page["done"], len(page["records"])) == (2001, False, 2000)
    assert page["nextRecordsUrl"].startswith(f"{DATA}/query/01g")
    assert page["nextRecordsUrl"].endswith("-2000")
    last = (await salesforce.http.get(page["nextRecordsUrl"])).json()
    assert (last["totalSize"], last["done"], len(last["records"])) == (2001, True, 1)


async def test_a_cursor_is_its_users_own(paged: Served) -> None:
    url = (await find(paged, FIVE))["nextRecordsUrl"]
    answer = await paged.http.get(url, headers=paged.as_user("admin@example.com"))
    assert error_of(answer) == (400, "INVALID_QUERY_LOCATOR")


async def test_a_cursor_ends_with_time_and_when_a_user_has_too_many(paged: Served) -> None:
    first, second, third = [(await find(paged, FIVE))["nextRecordsUrl"] for _ in range(3)]
    assert error_of(await paged.http.get(first)) == (400, "INVALID_QUERY_LOCATOR")
    assert (await paged.http.get(second)).status_code == 200
    await paged.control.advance(60)
    assert error_of(await paged.http.get(third)) == (400, "INVALID_QUERY_LOCATOR")


@pytest.mark.parametrize("locator", ["x", "01gX00000000001IAA-2", "-2", "01gX00000000001IAA", "é-1"])
async def test_a_locator_that_is_none_is_refused(salesforce: Served, locator: str) -> None:
    assert error_of(await salesforce.http.get(f"{DATA}/query/{locator}")) == (400, "INVALID_QUERY_LOCATOR")
