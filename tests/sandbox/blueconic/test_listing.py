"""Pages of listings: links, cursors, hits allowed, their order. blueconic.md §8, §12."""

import re
from urllib.parse import quote

import pytest

from sandbox.blueconic.faults import DeadCursor
from sandbox.blueconic.settings import Settings
from tests.sandbox.blueconic.tenants import Tenant, group, tenant

BY_MODIFICATION = Settings(lists_by_modification=True)


async def _first(blueconic: Tenant, **query: str) -> dict[str, object]:
    page: dict[str, object] = (await blueconic.http.get("/groups/company", params=query)).json()
    return page


async def _listed(blueconic: Tenant, **query: str) -> list[list[str]]:
    """Return the ids of each page, by their cursors."""
    pages, cursor = [], "*"
    while cursor:
        page = (await blueconic.http.get("/groups/company", params={**query, "cursor": cursor})).json()
        pages.append([one["id"] for one in page["groups"]])
        cursor = page.get("nextCursor", "")
    return pages


@pytest.fixture(autouse=True)
async def _groups(blueconic: Tenant) -> None:
    await blueconic.put_groups(*(group(f"g{index}") for index in range(5)))


async def test_links_name_first_and_next_and_last_is_the_next_page(blueconic: Tenant) -> None:
    page = await _first(blueconic, count="2")
    assert isinstance(page["nextCursor"], str)
    links = {link["rel"]: link["href"] for link in page["links"]}  # type: ignore[attr-defined]
    following = f"/rest/v2/groups/company?cursor={quote(page['nextCursor'], safe='')}"
    assert links == {"first": "/rest/v2/groups/company?cursor=*", "next": following, "last": following}
    second = (await blueconic.http.get(f"{blueconic.url}{links['next']}&count=2")).json()
    assert [one["id"] for one in second["groups"]] == ["g2", "g3"]


async def test_the_last_page_has_neither_a_cursor_nor_a_next_link(blueconic: Tenant) -> None:
    page = await _first(blueconic)
    assert ("nextCursor" in page, [link["rel"] for link in page["links"]]) == (False, ["first"])  # type: ignore[attr-defined]


@pytest.mark.parametrize("count", ["1", "2", "3", "4"])
async def test_a_cursor_is_base64_that_must_be_percent_encoded(blueconic: Tenant, count: str) -> None:
    cursor = str((await _first(blueconic, count=count))["nextCursor"])
    assert re.fullmatch(r"\+\+//[A-Za-z0-9+/]+={1,2}", cursor)
    assert (await blueconic.http.get(f"/groups/company?cursor={cursor}")).status_code == 400
    assert (await blueconic.http.get(f"/groups/company?cursor={quote(cursor, safe='')}")).status_code == 200


@pytest.mark.parametrize("settings", [Settings(), BY_MODIFICATION], ids=["by creation", "by modification"])
async def test_every_group_is_listed_once_in_pages_of_any_size(settings: Settings) -> None:
    async with tenant(settings) as blueconic:
        await blueconic.put_groups(*(group(f"g{index}") for index in range(5)))
        for count in range(1, 7):
            pages = await _listed(blueconic, count=str(count))
            assert [name for page in pages for name in page] == [f"g{index}" for index in range(5)]


@pytest.mark.parametrize(
    ("hits", "count", "pages"),
    [
        pytest.param("3", "2", [["g0", "g1"], ["g2"]], id="§12 cut within a page"),
        pytest.param("4", "2", [["g0", "g1"], ["g2", "g3"]], id="§12 cut at the end of a page"),
        pytest.param("1", "100", [["g0"]], id="§12 cut on the first page"),
        pytest.param("99", "3", [["g0", "g1", "g2"], ["g3", "g4"]], id="§12 more allowed than there are"),
    ],
)
async def test_hits_beyond_those_allowed_are_cut_off(
    blueconic: Tenant, hits: str, count: str, pages: list[list[str]]
) -> None:
    assert await _listed(blueconic, maxHitsAllowed=hits, count=count) == pages
    assert (await _first(blueconic, maxHitsAllowed=hits, count=count))["totalResults"] == min(5, int(hits))


async def test_what_changes_while_it_is_listed_comes_twice_by_modification() -> None:
    async with tenant(BY_MODIFICATION) as blueconic:
        for name in "abc":
            await blueconic.put_groups(group(name))
            await blueconic.control.advance(1)
        cursor = str((await _first(blueconic, count="2"))["nextCursor"])
        await blueconic.put_groups(group("a", p="1"), group("b", strategy="DELETE"), group("c"))
        page = (await blueconic.http.get("/groups/company", params={"cursor": cursor})).json()
        assert [one["id"] for one in page["groups"]] == ["c", "a"]
        assert await _listed(blueconic) == [["c", "a"]]


async def test_a_cursor_can_die(blueconic: Tenant) -> None:
    await blueconic.control.add_fault(DeadCursor(path="/rest/v2/groups", times=None))
    cursor = str((await _first(blueconic, count="2"))["nextCursor"])
    answer = await blueconic.http.get("/groups/company", params={"cursor": cursor})
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (400, "cursor")
    assert len(await _listed(blueconic)) == 1
