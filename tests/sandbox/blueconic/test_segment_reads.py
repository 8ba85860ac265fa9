"""The profiles of a segment, as blueconic.md §11 has them."""

from typing import Any

import httpx
import pytest

from sandbox.blueconic.faults import DeadCursor
from sandbox.blueconic.settings import Segment, Settings
from sandbox.faults.fault import Truncate
from tests.sandbox.blueconic.tenants import Tenant, rule, tenant

SETTINGS = Settings(
    segments=(
        Segment(id="vip", property="tier", value="gold"),
        Segment(id="few", profiles=frozenset({"p1", "p3", "nobody"})),
        Segment(id="none"),
    )
)
PATH = "/segments/vip/profiles"


async def _put(blueconic: Tenant, *ids: str, tier: str = "gold", **more: Any) -> None:
    rules = [rule("SET", tier, name="tier"), rule("SET", "x", name="other")]
    await blueconic.put_profiles(
        *({"profileId": name, "strategy": "UPSERT", "properties": rules, **more} for name in ids)
    )


async def _listed(blueconic: Tenant, segment: str = "vip", **query: str) -> list[list[str]]:
    """Return the ids of each page, by their cursors."""
    pages, cursor = [], "*"
    while cursor:
        answer = await blueconic.http.get(f"/segments/{segment}/profiles", params={**query, "cursor": cursor})
        pages.append([one["id"] for one in answer.json()["profiles"]])
        cursor = answer.json().get("nextCursor", "")
    return pages


async def test_a_segment_has_the_profiles_of_its_filter_or_list_in_pages() -> None:
    async with tenant(SETTINGS) as blueconic:
        await _put(blueconic, *(f"p{number}" for number in range(5)))
        await _put(blueconic, "p5", tier="tin")
        assert await _listed(blueconic, count="2") == [["p0", "p1"], ["p2", "p3"], ["p4"]]
        assert await _listed(blueconic, "few") == [["p1", "p3"]]
        assert await _listed(blueconic, "none") == [[]]


async def test_a_page_is_streamed_and_says_where_it_is() -> None:
    async with tenant(SETTINGS) as blueconic:
        await _put(blueconic, "a", "b", "c")
        answer = await blueconic.http.get(PATH, params={"count": "2"})
        page = answer.json()
    assert answer.headers["transfer-encoding"] == "chunked"
    assert (page["itemsPerPage"], page["totalPages"], page["totalResults"], page["cursor"]) == (2, 2, 3, "*")
    assert page["links"][1]["href"].startswith("/rest/v2/segments/vip/profiles?cursor=%2B%2B%2F%2F")


async def test_a_profile_has_every_property_unless_the_request_names_some() -> None:
    async with tenant(SETTINGS) as blueconic:
        await _put(blueconic, "a")
        shown = []
        for query in ({}, {"properties": "other"}, {"profileProperty": "tier"}):
            [one] = (await blueconic.http.get(PATH, params=query)).json()["profiles"]
            shown.append([found["id"] for found in one["properties"]])
    assert shown == [["domaingroup", "tier", "other"], ["domaingroup", "other"], ["domaingroup", "tier"]]


async def test_expand_adds_what_it_names() -> None:
    async with tenant(SETTINGS) as blueconic:
        await _put(blueconic, "p1")
        [plain] = (await blueconic.http.get(PATH)).json()["profiles"]
        expand = {"expand": ["profiles.profile.segments", "profiles.profile.timeline"]}
        [full] = (await blueconic.http.get(PATH, params=expand)).json()["profiles"]
    assert not {"segments", "events"} & plain.keys()
    assert (full["segments"], full["events"]) == ([{"id": "vip"}, {"id": "few"}], [])


async def test_the_membership_changes_between_pages() -> None:
    async with tenant(SETTINGS) as blueconic:
        await _put(blueconic, *"abcd")
        cursor = (await blueconic.http.get(PATH, params={"count": "2"})).json()["nextCursor"]
        await _put(blueconic, "c", tier="tin")
        await blueconic.put_profiles({"profileId": "a", "strategy": "DELETE"})
        await _put(blueconic, "e")
        page = (await blueconic.http.get(PATH, params={"cursor": cursor})).json()
    assert ([one["id"] for one in page["profiles"]], page["totalResults"]) == (["d", "e"], 3)


async def test_by_modification_what_changes_while_it_is_listed_comes_twice() -> None:
    async with tenant(Settings(segments=SETTINGS.segments, lists_by_modification=True)) as blueconic:
        for name in "abc":
            await _put(blueconic, name)
            await blueconic.control.advance(1)
        cursor = (await blueconic.http.get(PATH, params={"count": "2"})).json()["nextCursor"]
        await blueconic.put_profiles({"profileId": "a", "properties": [rule("SET", "y", name="other")]})
        page = (await blueconic.http.get(PATH, params={"cursor": cursor})).json()
    assert [one["id"] for one in page["profiles"]] == ["c", "a"]


async def test_hits_beyond_those_allowed_are_cut_off() -> None:
    async with tenant(SETTINGS) as blueconic:
        await _put(blueconic, *"abcde")
        assert await _listed(blueconic, maxHitsAllowed="3", count="2") == [["a", "b"], ["c"]]


@pytest.mark.parametrize(
    ("path", "status"),
    [
        pytest.param("/segments/nowhere/profiles", 404, id="§11 404: no such segment"),
        pytest.param(f"{PATH}?cursor=x", 400, id="§11 400: cursor of nobody"),
        pytest.param(f"{PATH}?count=1000001", 400, id="§11 count: above 1,000,000"),
        pytest.param(f"{PATH}?maxHitsAllowed=0", 400, id="§11 maxHitsAllowed: greater than 0"),
        pytest.param(f"{PATH}?refinement=%7B%7D", 400, id="§11 a filter the sandbox cannot read"),
        pytest.param(f"{PATH}?audienceId=a", 400, id="§11 a read that changes state"),
        pytest.param(f"{PATH}?trackProperties=p", 400, id="§11 tracked properties"),
    ],
)
async def test_what_cannot_be_listed_has_its_status(path: str, status: int) -> None:
    async with tenant(SETTINGS) as blueconic:
        assert (await blueconic.http.get(path)).status_code == status


async def test_the_scope_is_read_segments() -> None:
    async with tenant(SETTINGS) as blueconic:
        blueconic.http.headers["authorization"] = f"Bearer {await blueconic.token(scope='read:profiles')}"
        assert (await blueconic.http.get(PATH)).status_code == 401
        blueconic.http.headers["authorization"] = f"Bearer {await blueconic.token(scope='read:segments')}"
        assert (await blueconic.http.get(PATH)).status_code == 200


async def test_a_cursor_can_die() -> None:
    async with tenant(SETTINGS) as blueconic:
        await _put(blueconic, *"abc")
        await blueconic.control.add_fault(DeadCursor(path="/rest/v2/segments"))
        cursor = (await blueconic.http.get(PATH, params={"count": "1"})).json()["nextCursor"]
        answers = [await blueconic.http.get(PATH, params={"cursor": cursor}) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [400, 200]


@pytest.mark.parametrize("framing", ["chunked", "complete"])
async def test_an_answer_can_be_cut_in_the_middle_of_a_page(framing: Any) -> None:
    async with tenant(SETTINGS) as blueconic:
        await _put(blueconic, *(f"p{number}" for number in range(50)))
        await blueconic.control.add_fault(Truncate(path="/rest/v2/segments", skip=1, framing=framing))
        first = (await blueconic.http.get(PATH, params={"count": "20"})).json()
        with pytest.raises((httpx.RemoteProtocolError, ValueError)):
            (await blueconic.http.get(PATH, params={"cursor": first["nextCursor"]})).json()
        again = (await blueconic.http.get(PATH, params={"cursor": first["nextCursor"]})).json()
    assert len(again["profiles"]) == 30


async def test_a_reset_empties_every_segment() -> None:
    async with tenant(SETTINGS) as blueconic:
        await _put(blueconic, "a")
        await blueconic.control.reset()
        blueconic.http.headers["authorization"] = f"Bearer {await blueconic.token()}"
        assert await _listed(blueconic) == [[]]
