"""``PUT /profiles`` and reading profiles back, as in blueconic.md §4 and §8."""

from typing import Any

import pytest

from sandbox.blueconic.settings import Segment, Settings
from tests.sandbox.blueconic.tenants import Tenant, matching, rule, tenant

JANE = "jane@example.com"
BY_EMAIL = {**matching("email", JANE), "strategy": "UPSERT"}
KNOWN = {"profileId": "known", "strategy": "UPSERT"}
IN_VIP = {"restriction": {"isMemberOfSegment": "vip"}}
EXAMPLE: list[dict[str, Any]] = [
    {
        "matching": [[{"id": "email", "value": JANE}], [{"id": "crm_id", "value": "C-77"}]],
        "strategy": "UPSERT",
        "identifier": "b9-0",
        "properties": [
            {"id": "email", "values": [JANE], "strategy": "SET"},
            {"id": "crm_id", "values": ["C-77"], "strategy": "SET_IF_EMPTY"},
        ],
        "timeline": [
            {
                "eventTypeId": "order",
                "id": "order-1001",
                "date": "2025-01-22T11:21:33.872Z",
                "identifier": "b9-0/0",
                "strategy": "SET",
                "data": [
                    {"id": "total_revenue", "values": [19.95]},
                    {"id": "product", "values": [[{"id": "id", "values": ["P-5"]}, {"id": "quantity", "values": [2]}]]},
                ],
            }
        ],
    },
    {"profileId": "a84fe9e8-0000-4c1c-8a32-9132f958fe13", "strategy": "DELETE", "identifier": "b9-1"},
]


async def test_the_documents_example_gets_the_documents_result(blueconic: Tenant) -> None:
    await blueconic.put_profiles({"profileId": EXAMPLE[1]["profileId"], "strategy": "UPSERT"})
    results = await blueconic.put_profiles(*EXAMPLE)
    created = results[0].pop("profileId")
    assert len(created) == 36
    assert results == [
        {
            "state": "CREATED",
            "identifier": "b9-0",
            "timeline": [{"id": "order-1001", "identifier": "b9-0/0", "state": "SET"}],
        },
        {"profileId": "a84fe9e8-0000-4c1c-8a32-9132f958fe13", "state": "DELETED", "identifier": "b9-1"},
    ]


@pytest.mark.parametrize(
    ("entry", "state"),
    [
        pytest.param({**BY_EMAIL, **matching("email", "x")}, "CREATED", id="§4 CREATED: UPSERT, no match"),
        pytest.param({"strategy": "UPSERT"}, "CREATED", id="§4 CREATED: UPSERT by nothing, a fresh profile"),
        pytest.param({**KNOWN, "profileId": "new"}, "CREATED", id="§4 CREATED: UPSERT by an unknown id, under it"),
        pytest.param({**BY_EMAIL, "properties": [rule("SET", "1")]}, "MODIFIED", id="§4 MODIFIED: UPSERT, a new value"),
        pytest.param(BY_EMAIL, "UNCHANGED", id="§4 UNCHANGED: UPSERT, nothing changed"),
        pytest.param({**BY_EMAIL, "strategy": "UPDATE"}, "UNCHANGED", id="§4 UNCHANGED: UPDATE, nothing changed"),
        pytest.param({"profileId": "new"}, "NOTFOUND", id="§4 NOTFOUND: UPDATE, the default, profile absent"),
        pytest.param({}, "NOTFOUND", id="§4 NOTFOUND: UPDATE by nothing"),
        pytest.param({"profileId": "new", "strategy": "DELETE"}, "NOTFOUND", id="§4 NOTFOUND: DELETE, profile absent"),
        pytest.param({**BY_EMAIL, "strategy": "DELETE"}, "DELETED", id="§4 DELETED: by matching"),
        pytest.param({**BY_EMAIL, **matching("name", "x")}, "SKIPPED", id="§4 SKIPPED: matching on a common property"),
        pytest.param({**BY_EMAIL, "matching": [[]]}, "SKIPPED", id="§4 SKIPPED: matching on nothing"),
        pytest.param({**KNOWN, "properties": [rule("INCREMENT", "x")]}, "SKIPPED", id="§4 SKIPPED: every rule invalid"),
        pytest.param({**KNOWN, **IN_VIP}, "RESTRICTION_MISMATCH", id="§4 RESTRICTION_MISMATCH: not in the segment"),
        pytest.param(
            {"strategy": "UPSERT", **IN_VIP},
            "RESTRICTION_MISMATCH",
            id="§4 RESTRICTION_MISMATCH: a profile that does not exist is in no segment",
        ),
        pytest.param({"profileId": "vip", **IN_VIP}, "UNCHANGED", id="§4 field restriction: in the segment"),
        pytest.param({**KNOWN, "properties": [rule("SET", "x", name="ssn")]}, "UNAUTHORIZED", id="§9 R96: PII"),
        pytest.param({**KNOWN, **matching("email", "x")}, "UNCHANGED", id="§4 field profileId: overrides matching"),
    ],
)
async def test_each_entry_has_its_state(entry: dict[str, Any], state: str) -> None:
    settings = Settings(pii_properties=frozenset({"ssn"}), segments=(Segment(id="vip", property="tier", value="gold"),))
    async with tenant(settings) as blueconic:
        await blueconic.put_profiles(
            {**BY_EMAIL, "properties": [rule("SET", JANE, name="email")]},
            KNOWN,
            {"profileId": "vip", "strategy": "UPSERT", "properties": [rule("SET", "gold", name="tier")]},
        )
        [result] = await blueconic.put_profiles(entry)
        assert (result["state"], "validationErrors" in result) == (state, state == "SKIPPED")


@pytest.mark.parametrize(
    ("pairs", "found"),
    [
        pytest.param([[("email", "a"), ("crm_id", "1")]], "first", id="§4 matching: inner is AND"),
        pytest.param([[("email", "a"), ("crm_id", "2")]], None, id="§4 matching: inner is AND, not both"),
        pytest.param([[("email", "none")], [("crm_id", "2")]], "second", id="§4 matching: outer is OR"),
        pytest.param([[("email", "a")], [("crm_id", "1")]], "first", id="§4 matching: twice the same profile"),
        pytest.param([[("crm_id", "2")], [("email", "a")]], "first", id="§4 matching: of several the first created"),
    ],
)
async def test_matching(blueconic: Tenant, pairs: list[list[tuple[str, str]]], found: str | None) -> None:
    for profile_id, email, crm_id in (("first", "a", "1"), ("second", "b", "2")):
        rules = [rule("SET", email, name="email"), rule("SET", crm_id, name="crm_id")]
        await blueconic.put_profiles({"profileId": profile_id, "strategy": "UPSERT", "properties": rules})
    wanted = [[{"id": name, "value": value} for name, value in inner] for inner in pairs]
    [result] = await blueconic.put_profiles({"matching": wanted})
    assert result.get("profileId") == found


async def test_a_profile_is_matched_by_the_values_it_has_now(blueconic: Tenant) -> None:
    await blueconic.put_profiles({**KNOWN, "properties": [rule("SET", "old", name="email")]})
    await blueconic.put_profiles({**KNOWN, "properties": [rule("SET", "new", name="email")]})
    results = await blueconic.put_profiles(matching("email", "old"), matching("email", "new"))
    assert [result["state"] for result in results] == ["NOTFOUND", "UNCHANGED"]


@pytest.mark.parametrize(
    ("restriction", "on_new", "on_existing"),
    [
        pytest.param("ALL_PROFILES", ["1"], ["2"], id="§4 properties restriction: ALL_PROFILES"),
        pytest.param("NEW_PROFILES_ONLY", ["1"], ["1"], id="§4 properties restriction: NEW_PROFILES_ONLY"),
        pytest.param("EXISTING_PROFILES_ONLY", None, ["2"], id="§4 properties restriction: EXISTING_PROFILES_ONLY"),
    ],
)
async def test_a_rule_may_be_for_new_or_existing_profiles_only(
    blueconic: Tenant, restriction: str, on_new: list[str] | None, on_existing: list[str]
) -> None:
    seen = []
    for value in ("1", "2"):
        await blueconic.put_profiles({**KNOWN, "properties": [{**rule("SET", value), "restriction": restriction}]})
        profile = await blueconic.profile("known")
        seen.append(next((one["values"] for one in profile["properties"] if one["id"] == "p"), None))
    assert seen == [on_new, on_existing]


async def test_an_insert_only_entry_leaves_an_existing_profile_unchanged(blueconic: Tenant) -> None:
    await blueconic.put_profiles(KNOWN)
    only_new = {**rule("SET", "1"), "restriction": "NEW_PROFILES_ONLY"}
    [result] = await blueconic.put_profiles({**KNOWN, "properties": [only_new]})
    assert result["state"] == "UNCHANGED"


@pytest.mark.parametrize(
    ("legislation", "consented", "objectives", "state"),
    [
        pytest.param("GDPR", [], "ads", "CONSENT_MISMATCH", id="§4 CONSENT_MISMATCH: no consent"),
        pytest.param("GDPR", ["mail"], "ads", "CONSENT_MISMATCH", id="§4 CONSENT_MISMATCH: consent to something else"),
        pytest.param("GDPR", ["mail"], "ads,mail", "CREATED", id="§4 objectiveIds: consent to one of them"),
        pytest.param("NONE", [], "ads", "CREATED", id="§4 objectiveIds: a zone needing none"),
        pytest.param("GDPR", [], "", "CREATED", id="§4 objectiveIds: omitted: no check"),
    ],
)
async def test_objectives_need_consent(
    blueconic: Tenant, legislation: str, consented: list[str], objectives: str, state: str
) -> None:
    entry = {
        **KNOWN,
        "privacyLegislation": legislation,
        "properties": [rule("SET", *consented, name="consented_objectives")],
    }
    answer = await blueconic.http.put("/profiles", params={"objectiveIds": objectives}, json=[entry])
    assert answer.json()[0]["state"] == state
    exists = (await blueconic.http.get("/profiles/known")).status_code == 200
    assert exists == (state == "CREATED")


@pytest.mark.parametrize(
    "entry",
    [
        pytest.param({"permissionLevel": "SOME"}, id="§7 400: permissionLevel"),
        pytest.param({"privacyLegislation": "gdpr!"}, id="§7 400: privacyLegislation"),
        pytest.param({"matching": [{"id": "email"}]}, id="§7 400: matching not in two levels"),
        pytest.param({"matching": [[{"id": "email"}]]}, id="§7 400: matching without a value"),
        pytest.param({"restriction": {}}, id="§7 400: restriction without a segment"),
        pytest.param({"triggerOnEventAdded": 1}, id="§9 R95: triggerOnEventAdded"),
        pytest.param({"triggerOnPropertyChange": "yes"}, id="§9 R95: triggerOnPropertyChange"),
        pytest.param({"properties": {"id": "p", "values": ["1"]}}, id="§7 400: properties not an array"),
        pytest.param({"timeline": [{"strategy": "MERGE"}]}, id="§7 400: event strategy"),
        pytest.param({"timeline": [{"data": [{"strategy": "INCREMENT"}]}]}, id="§5 primitive rules: no INCREMENT"),
    ],
)
async def test_a_malformed_entry_is_a_400(blueconic: Tenant, entry: dict[str, Any]) -> None:
    assert (await blueconic.http.put("/profiles", json=[entry])).status_code == 400
