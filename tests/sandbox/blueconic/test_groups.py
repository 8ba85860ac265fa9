"""``PUT /groups`` as in blueconic.md §3 and §7."""

from typing import Any

import pytest

from sandbox.blueconic.settings import Settings
from tests.sandbox.blueconic.tenants import Tenant, group, rule, tenant

EXAMPLE = [
    {
        "groupTypeId": "company",
        "groupId": "group_0",
        "strategy": "UPSERT",
        "domainGroup": "DEFAULT",
        "identifier": "b7-0",
        "properties": [
            {"id": "company_name", "values": ["Acme BV"], "strategy": "SET"},
            {"id": "company_nr_of_employees", "values": ["42"], "strategy": "SET"},
            {"id": "company_tags", "values": ["customer"], "strategy": "ADD"},
        ],
    },
    {
        "groupTypeId": "company",
        "groupId": "group_1",
        "strategy": "UPDATE",
        "identifier": "b7-1",
        "properties": [{"id": "company_visits", "values": ["1"], "strategy": "INCREMENT"}],
    },
    {"groupTypeId": "company", "groupId": "group_2", "strategy": "DELETE", "identifier": "b7-2"},
    {"groupTypeId": "compny", "groupId": "group_3", "strategy": "UPSERT", "identifier": "b7-3"},
]
EXAMPLE_RESULT = (
    '[{"groupId":"group_0","groupTypeId":"company","state":"CREATED","identifier":"b7-0"},'
    '{"groupId":"group_1","groupTypeId":"company","state":"NOTFOUND","identifier":"b7-1"},'
    '{"groupId":"group_2","groupTypeId":"company","state":"DELETED","identifier":"b7-2"},'
    '{"groupId":"group_3","groupTypeId":"compny","state":"UNKNOWN_GROUP_TYPE","identifier":"b7-3"}]'
)


async def test_the_documents_example_gets_the_documents_bytes(blueconic: Tenant) -> None:
    await blueconic.put_groups(group("group_2"))
    answer = await blueconic.http.put("/groups", json=EXAMPLE)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/json")
    assert answer.text == EXAMPLE_RESULT


@pytest.mark.parametrize(
    ("entry", "state"),
    [
        pytest.param(group("new"), "CREATED", id="§3 CREATED: UPSERT, group absent"),
        pytest.param(group("old", p="2"), "MODIFIED", id="§3 MODIFIED: UPSERT, a changed value"),
        pytest.param(group("old", strategy="UPDATE", p="2"), "MODIFIED", id="§3 MODIFIED: UPDATE, a changed value"),
        pytest.param(group("old", p="1"), "UNCHANGED", id="§3 UNCHANGED: UPSERT, no effective change"),
        pytest.param(group("old", strategy="UPDATE"), "UNCHANGED", id="§3 UNCHANGED: UPDATE, no rule at all"),
        pytest.param(group("new", strategy="UPDATE"), "NOTFOUND", id="§3 NOTFOUND: UPDATE, group absent"),
        pytest.param(group("new", strategy="DELETE"), "NOTFOUND", id="§3 NOTFOUND: DELETE, group absent"),
        pytest.param(group("old", strategy="DELETE"), "DELETED", id="§3 DELETED: DELETE, group present"),
        pytest.param(group("x", group_type="compny"), "UNKNOWN_GROUP_TYPE", id="§3 UNKNOWN_GROUP_TYPE: unknown type"),
        pytest.param({"groupId": "x"}, "UNKNOWN_GROUP_TYPE", id="§3 UNKNOWN_GROUP_TYPE: no type"),
        pytest.param({"groupTypeId": "company"}, "SKIPPED", id="§3 SKIPPED: entry without groupId"),
        pytest.param({**group("new"), "properties": [rule("INCREMENT", "x")]}, "SKIPPED", id="§3 SKIPPED: bad rules"),
        pytest.param({"groupTypeId": "company", "groupId": "new"}, "NOTFOUND", id="§3 strategy: defaults to UPDATE"),
        pytest.param({**group("new"), "surprise": 1}, "CREATED", id="§7 unknown entry fields are ignored"),
        pytest.param(
            {"groupType": "company", "groupId": "new", "strategy": "UPSERT"},
            "CREATED",
            id="§9 defect 1: groupType is taken, too",
        ),
        pytest.param({**group("new"), "groupType": "compny"}, "CREATED", id="§9 defect 1: groupTypeId wins"),
        pytest.param({**group("old"), "properties": rule("SET", "2")}, "MODIFIED", id="§9 defect 2: a single rule"),
        pytest.param({**group("old"), "domainGroup": "B"}, "UNCHANGED", id="§3 field domainGroup: not of the identity"),
    ],
)
async def test_each_entry_has_its_state(blueconic: Tenant, entry: dict[str, Any], state: str) -> None:
    await blueconic.put_groups(group("old", p="1"))
    [result] = await blueconic.put_groups(entry)
    assert (result["state"], "validationErrors" in result) == (state, state == "SKIPPED")


@pytest.mark.parametrize(
    ("before", "change", "after"),
    [
        pytest.param(["a", "b"], rule("SET", "c"), ["c"], id="§3 rule SET replaces all values"),
        pytest.param(["a"], rule("SET"), None, id="§3 rule SET with no values clears"),
        pytest.param(["a"], rule("ADD", "b", "a", "b"), ["a", "b"], id="§3 rule ADD appends values not yet present"),
        pytest.param(["a"], rule("SET_IF_EMPTY", "b"), ["a"], id="§3 rule SET_IF_EMPTY leaves a value"),
        pytest.param([], rule("SET_IF_EMPTY", "b"), ["b"], id="§3 rule SET_IF_EMPTY sets where there is none"),
        pytest.param(["5"], rule("INCREMENT", "2"), ["7"], id="§3 rule INCREMENT adds to the stored number"),
        pytest.param(["0.1"], rule("INCREMENT", "0.2"), ["0.3"], id="§3 rule INCREMENT is decimal"),
        pytest.param([], rule("INCREMENT", "-2"), ["-2"], id="§3 rule INCREMENT on an empty property starts at 0"),
        pytest.param(["5"], rule("SUM", "2"), ["7"], id="§9 defect 4: SUM is an alias of INCREMENT"),
        pytest.param(["a", "b", "a"], rule("REMOVE", "a"), ["b"], id="§3 rule REMOVE removes the listed values"),
        pytest.param(["a"], rule("REMOVE", "a"), None, id="§3 rule REMOVE of the last value clears"),
        pytest.param(["a"], {"id": "p", "values": ["b"]}, ["b"], id="§3 rule without strategy is a SET"),
    ],
)
async def test_each_rule_has_its_effect(
    blueconic: Tenant, before: list[str], change: dict[str, Any], after: list[str] | None
) -> None:
    await blueconic.put_groups({**group("g"), "properties": [rule("SET", *before)]})
    await blueconic.put_groups({**group("g"), "properties": [change]})
    assert (await blueconic.group("g")).get("p") == after


@pytest.mark.parametrize(
    ("strategy", "second"),
    [
        pytest.param("SET", "UNCHANGED", id="§3 idempotent on resend: SET"),
        pytest.param("ADD", "UNCHANGED", id="§3 idempotent on resend: ADD"),
        pytest.param("SET_IF_EMPTY", "UNCHANGED", id="§3 idempotent on resend: SET_IF_EMPTY"),
        pytest.param("REMOVE", "UNCHANGED", id="§3 idempotent on resend: REMOVE"),
        pytest.param("INCREMENT", "MODIFIED", id="§3 idempotent on resend: INCREMENT, the one that is not idempotent"),
    ],
)
async def test_a_resent_rule_changes_nothing_except_an_increment(blueconic: Tenant, strategy: str, second: str) -> None:
    entry = {**group("g"), "properties": [rule(strategy, "3")]}
    await blueconic.put_groups(group("g"))
    await blueconic.put_groups(entry)
    [result] = await blueconic.put_groups(entry)
    assert result["state"] == second


async def test_an_invalid_rule_is_reported_by_its_property_and_the_others_take_effect(blueconic: Tenant) -> None:
    rules = [rule("SET", "1", name="good"), rule("SET", "1", name="b d"), rule("INCREMENT", "x", name="sum")]
    [result] = await blueconic.put_groups({**group("g"), "properties": rules})
    assert result["state"] == "CREATED"
    assert result["validationErrors"].keys() == {"b d", "sum"}
    assert await blueconic.group("g") == {"domaingroup": ["DEFAULT"], "good": ["1"]}


async def test_an_increment_of_what_is_no_number_is_an_error_and_leaves_it(blueconic: Tenant) -> None:
    await blueconic.put_groups(group("g", p="many"))
    rules = [rule("INCREMENT", "1"), rule("SET", "1", name="q")]
    [result] = await blueconic.put_groups({**group("g"), "properties": rules})
    assert "p" in result["validationErrors"]
    assert (await blueconic.group("g"))["p"] == ["many"]


async def test_strict_mode_reports_undefined_properties_and_ignores_their_rules() -> None:
    async with tenant(Settings(defined_properties=frozenset({"known"}))) as strict:
        [result] = await strict.put_groups(group("g", known="1", unknown="1"))
        assert list(result["validationErrors"]) == ["unknown"]
        assert "unknown" not in await strict.group("g")


async def test_entries_see_the_effects_of_earlier_ones_in_array_order(blueconic: Tenant) -> None:
    increment = {**group("g"), "properties": [rule("INCREMENT", "1")]}
    results = await blueconic.put_groups(
        group("g", strategy="UPDATE"), increment, increment, group("g", strategy="DELETE"), increment
    )
    states = [result["state"] for result in results]
    assert states == ["NOTFOUND", "CREATED", "MODIFIED", "DELETED", "CREATED"]
    assert (await blueconic.group("g"))["p"] == ["1"]


async def test_the_same_id_under_two_types_is_two_groups(blueconic: Tenant) -> None:
    results = await blueconic.put_groups(group("g", p="1"), group("g", group_type="airport", p="2"))
    assert [result["state"] for result in results] == ["CREATED", "CREATED"]
    assert (await blueconic.group("g", "airport"))["p"] == ["2"]


async def test_fields_that_were_not_sent_are_left_out_of_a_result(blueconic: Tenant) -> None:
    assert await blueconic.put_groups({}) == [{"state": "UNKNOWN_GROUP_TYPE"}]


async def test_a_write_of_pii_without_the_right_refuses_the_whole_request_with_403() -> None:
    async with tenant(Settings(pii_properties=frozenset({"email"}))) as restricted:
        answer = await restricted.http.put("/groups", json=[group("a"), group("b", email="x")])
        assert (answer.status_code, answer.content) == (403, b"")
        assert (await restricted.http.get("/groups/company/a")).status_code == 404
