"""Reads of profiles, as in blueconic.md §8."""

import pytest

from sandbox.blueconic.settings import Segment, Settings
from tests.sandbox.blueconic.tenants import Tenant, rule, tenant

KNOWN = {"profileId": "known", "strategy": "UPSERT"}


async def test_a_profile_reads_back_in_the_documents_shape(blueconic: Tenant) -> None:
    rules = [rule("SET", "ads", name="consented_objectives"), rule("SET", "mail", name="refused_objectives")]
    await blueconic.put_profiles({**KNOWN, "permissionLevel": "ANONYMOUS", "properties": rules})
    read = (await blueconic.http.get("/profiles/known")).json()
    assert (read["id"], read["consentedObjectives"], read["refusedObjectives"]) == ("known", ["ads"], ["mail"])
    assert (read["permissions"], read["replaces"]) == ({"level": "ANONYMOUS"}, [])
    assert not {"events", "segments", "replacedBy"} & read.keys()


async def test_expand_adds_what_it_names() -> None:
    async with tenant(Settings(segments=(Segment(id="vip", property="p", value="1"),))) as blueconic:
        await blueconic.put_profiles({**KNOWN, "properties": [rule("SET", "1")]})
        parts = ["profile.timeline", "profile.segments", "profile.permissions.exceptions"]
        read = (await blueconic.http.get("/profiles/known", params={"expand": parts})).json()
        assert (read["events"], read["segments"]) == ([], [{"id": "vip"}])
        assert read["permissions"]["exceptions"] == []


@pytest.mark.parametrize(
    ("query", "shown"),
    [
        pytest.param("profileProperty=a", ["a"], id="§9 R94: profileProperty"),
        pytest.param("profileProperty=a&profileProperty=c", ["a", "c"], id="§9 R94: profileProperty repeats"),
        pytest.param("properties=a,c", ["a", "c"], id="§9 before R94: properties"),
    ],
)
async def test_a_read_can_be_limited_to_properties(blueconic: Tenant, query: str, shown: list[str]) -> None:
    await blueconic.put_profiles({**KNOWN, "properties": [rule("SET", "1", name=name) for name in "abc"]})
    read = (await blueconic.http.get(f"/profiles/known?{query}")).json()
    assert [one["id"] for one in read["properties"]] == ["domaingroup", *shown]


@pytest.mark.parametrize(
    ("query", "status", "found"),
    [
        pytest.param("property=email&value=a", 200, 2, id="§8 profile search: one pair"),
        pytest.param("property=email&value=a&property=crm_id&value=1", 200, 1, id="§8 profile search: pairs repeat"),
        pytest.param("property=email&value=none", 200, 0, id="§8 profile search: nobody"),
        pytest.param("property=name&value=a", 501, None, id="§7 501: a property that is not unique"),
        pytest.param("property=email", 400, None, id="§8 profile search: no value"),
        pytest.param("", 400, None, id="§8 profile search: no property"),
    ],
)
async def test_a_search_is_by_unique_properties(blueconic: Tenant, query: str, status: int, found: int | None) -> None:
    for crm_id in ("1", "2"):
        rules = [rule("SET", "a", name="email"), rule("SET", crm_id, name="crm_id")]
        await blueconic.put_profiles({"strategy": "UPSERT", "properties": rules})
    answer = await blueconic.http.get(f"/profiles?{query}")
    assert answer.status_code == status
    if found is not None:
        assert (len(answer.json()["profiles"]), answer.json()["totalResults"]) == (found, found)
