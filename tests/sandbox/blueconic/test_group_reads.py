"""Reading groups and definitions back, as in blueconic.md §8."""

import pytest

from sandbox.blueconic.faults import ReadLag
from sandbox.blueconic.settings import Settings
from tests.sandbox.blueconic.tenants import Tenant, group, tenant


async def test_a_group_reads_back_in_the_documents_shape(blueconic: Tenant) -> None:
    await blueconic.put_groups(group("g", company_name="Acme BV"))
    read = (await blueconic.http.get("/groups/company/g")).json()
    assert list(read) == ["id", "groupTypeId", "creationDate", "lastModifiedDate", "properties"]
    assert read["properties"] == [
        {"id": "domaingroup", "values": ["DEFAULT"]},
        {"id": "company_name", "values": ["Acme BV"]},
    ]


async def test_the_domain_group_is_the_one_given_at_creation(blueconic: Tenant) -> None:
    await blueconic.put_groups({**group("g"), "domainGroup": "A"})
    await blueconic.put_groups({**group("g", p="1"), "domainGroup": "B"})
    assert (await blueconic.group("g"))["domaingroup"] == ["A"]


async def test_the_last_modified_date_moves_only_when_something_changed(blueconic: Tenant) -> None:
    dates = []
    for value in ("1", "1", "2"):
        await blueconic.put_groups(group("g", p=value))
        dates.append((await blueconic.http.get("/groups/company/g")).json()["lastModifiedDate"])
        await blueconic.control.advance(60)
    assert dates[0] == dates[1] < dates[2]


async def test_a_filter_leaves_the_named_properties_and_the_domain_group(blueconic: Tenant) -> None:
    await blueconic.put_groups(group("g", a="1", b="2", c="3"))
    read = (await blueconic.http.get("/groups/company/g?properties=a,c,missing")).json()
    assert [one["id"] for one in read["properties"]] == ["domaingroup", "a", "c"]


@pytest.mark.parametrize(
    "path",
    [
        pytest.param("/nothing/here", id="§7 404: no such path"),
        pytest.param("/groups/company/", id="§7 404: an empty segment"),
    ],
)
async def test_a_path_that_is_none_is_a_404_without_a_body(blueconic: Tenant, path: str) -> None:
    answer = await blueconic.http.get(path)
    assert (answer.status_code, answer.content) == (404, b"")


@pytest.mark.parametrize(
    "path",
    [
        pytest.param("/groups/company/missing", id="§7 404: group absent"),
        pytest.param("/groups/compny/g", id="§7 404: group type absent"),
        pytest.param("/groups/compny", id="§7 404: listing of an absent type"),
        pytest.param("/profiles/missing", id="§7 404: profile absent"),
    ],
)
async def test_what_is_absent_is_a_404_in_the_shape_of_an_error_or_bare(blueconic: Tenant, path: str) -> None:
    answer = await blueconic.http.get(path)
    assert (answer.status_code, answer.json()) == (404, {"code": 404, "message": "Not Found"})
    async with tenant(Settings(bare_not_found=True)) as bare:
        answer = await bare.http.get(path)
        assert (answer.status_code, answer.content) == (404, b"")


async def test_another_method_is_a_405_that_names_the_methods(blueconic: Tenant) -> None:
    answer = await blueconic.http.post("/groups")
    assert (answer.status_code, answer.headers["allow"]) == (405, "PUT")


async def test_path_segments_are_percent_decoded_one_by_one(blueconic: Tenant) -> None:
    await blueconic.put_groups(group("a/b ü"))
    answer = await blueconic.http.get("/groups/company/a%2Fb%20%C3%BC")
    assert answer.json()["id"] == "a/b ü"


async def _pages(blueconic: Tenant, count: int) -> list[list[str]]:
    pages = []
    cursor = "*"
    while cursor:
        page = (await blueconic.http.get("/groups/company", params={"cursor": cursor, "count": count})).json()
        pages.append([one["id"] for one in page["groups"]])
        cursor = page.get("nextCursor", "")
    return pages


async def test_a_listing_leads_through_all_groups_once(blueconic: Tenant) -> None:
    await blueconic.put_groups(*(group(f"g{index}") for index in range(7)))
    assert await _pages(blueconic, 3) == [["g0", "g1", "g2"], ["g3", "g4", "g5"], ["g6"]]


async def test_a_page_says_where_it_is_and_what_there_is(blueconic: Tenant) -> None:
    await blueconic.put_groups(*(group(f"g{index}") for index in range(5)))
    answer = await blueconic.http.get("/groups/company?count=2&properties=none")
    page = answer.json()
    assert answer.headers["transfer-encoding"] == "chunked"
    assert (page["itemsPerPage"], page["totalPages"], page["totalResults"], page["cursor"]) == (2, 3, 5, "*")
    assert [link["rel"] for link in page["links"]] == ["first", "next", "last"]
    assert page["groups"][0]["properties"] == [{"id": "domaingroup", "values": ["DEFAULT"]}]


async def test_a_cursor_stays_good_when_groups_are_deleted_and_created(blueconic: Tenant) -> None:
    await blueconic.put_groups(*(group(f"g{index}") for index in range(4)))
    cursor = (await blueconic.http.get("/groups/company?count=2")).json()["nextCursor"]
    await blueconic.put_groups(group("g0", strategy="DELETE"), group("g2", strategy="DELETE"), group("new"))
    page = (await blueconic.http.get("/groups/company", params={"cursor": cursor, "count": 9})).json()
    assert [one["id"] for one in page["groups"]] == ["g3", "new"]


async def test_a_listing_is_whole_after_thousands_of_deletions(blueconic: Tenant) -> None:
    for start in range(0, 3000, 1000):
        await blueconic.put_groups(*(group(f"g{index}") for index in range(start, start + 1000)))
        await blueconic.put_groups(*(group(f"g{index}", strategy="DELETE") for index in range(start, start + 999)))
    assert await _pages(blueconic, 2) == [["g999", "g1999"], ["g2999"]]


async def test_a_page_of_no_groups_is_still_a_page(blueconic: Tenant) -> None:
    page = (await blueconic.http.get("/groups/airport")).json()
    assert (page["groups"], page["totalResults"], "nextCursor" in page) == ([], 0, False)


@pytest.mark.parametrize(
    ("query", "field"),
    [
        pytest.param("count=0", "count", id="§7 400: count below 1"),
        pytest.param("count=1000001", "count", id="§6 listing count: above 1,000,000"),
        pytest.param("count=x", "count", id="§7 400: count no number"),
        pytest.param("cursor=!", "cursor", id="§7 400: cursor of nobody"),
        pytest.param("refinement=%7B%7D", "refinement", id="§7 400: a filter the sandbox cannot read"),
        pytest.param("maxHitsAllowed=0", "maxHitsAllowed", id="§11 maxHitsAllowed: greater than 0"),
    ],
)
async def test_a_wrong_listing_is_a_400_that_names_the_parameter(blueconic: Tenant, query: str, field: str) -> None:
    await blueconic.put_groups(group("a"), group("b"))
    answer = await blueconic.http.get(f"/groups/company?{query}")
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["field"] == field


async def test_reads_may_lag_behind_writes() -> None:
    async with tenant(Settings(read_lag_s=60)) as lagging:
        await lagging.put_groups(group("g", p="1"))
        assert (await lagging.http.get("/groups/company/g")).status_code == 404
        assert await _pages(lagging, 9) == [[]]
        await lagging.control.advance(61)
        await lagging.put_groups(group("g", p="2"))
        assert (await lagging.group("g"))["p"] == ["1"]
        await lagging.control.advance(61)
        assert (await lagging.group("g"))["p"] == ["2"]


async def test_reads_of_one_write_may_lag_alone() -> None:
    async with tenant() as lagging:
        await lagging.control.add_fault(ReadLag(seconds=60))
        await lagging.put_groups(group("late", p="1"))
        await lagging.put_groups(group("prompt", p="1"))
        statuses = [(await lagging.http.get(f"/groups/company/{key}")).status_code for key in ("late", "prompt")]
        await lagging.control.advance(61)
        assert (statuses, (await lagging.group("late"))["p"]) == ([404, 200], ["1"])
