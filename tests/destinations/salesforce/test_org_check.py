"""The check of an org: it says who we are, and all that the settings name and that is missing."""

from typing import Any

import httpx
import pytest

from sluice.destinations.contract import Misconfigured
from sluice.destinations.salesforce.descriptions import Descriptions
from sluice.destinations.salesforce.org_check import check_org
from tests.destinations.salesforce.bulk2_texts import NOT_FOUND
from tests.destinations.salesforce.encoding import CONTACT, field
from tests.destinations.salesforce.offline import calls
from tests.destinations.salesforce.offline_bulk2 import bulk2_settings

OBJECTS: dict[str, dict[str, Any]] = {
    "Contact": {
        **CONTACT,
        "fields": [*CONTACT["fields"], field("Own__c", externalId=True), field("Score__c", type="double")],
    },
    "User": {"name": "User", "deletable": False, "fields": [field("Email"), field("ReadOnly__c", createable=False)]},
}
LIMITS = {
    "DailyApiRequests": {"Max": 100_000, "Remaining": 99_000},
    "DailyBulkApiBatches": {"Max": 15_000, "Remaining": 14_000},
}


async def check(*, needs_identifier: bool = True, **settings: Any) -> str:
    asked: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request.url.path)
        if request.url.path.endswith("/limits"):
            return httpx.Response(200, json=LIMITS)
        found = OBJECTS.get(request.url.path.split("/")[-2])
        return NOT_FOUND if found is None else httpx.Response(200, json=found)

    client = calls(answer)
    line = await check_org(
        bulk2_settings(**settings),
        client,
        Descriptions(client.find, 3600.0, lambda: 0.0),
        needs_identifier=needs_identifier,
    )
    assert len(asked) == len(set(asked))
    return line


async def test_it_tells_host_user_version_and_budgets() -> None:
    assert await check(needs_identifier=False) == (
        "Salesforce at acme.my.salesforce.com accepts the user loader@example.com; API version 59.0; left today: "
        "99,000 of 100,000 API requests, 14,000 of 15,000 batches"
    )
    connected_app = {"flow": "client_credentials", "client_id": "c", "client_secret": "s"}
    assert "accepts the user of our connected app" in await check(login=connected_app)


async def test_it_tells_which_inserts_are_taken() -> None:
    """§12"""
    assert "takes no inserts: name a field" in await check()
    named = await check(identifier_fields={"Contact": "Own__c"}, external_ids={"contact": "Ext__c"})
    assert named.endswith("takes inserts of Contact (Own__c)")


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        pytest.param({"external_ids": {"Nope__c": "Ext__c"}}, "object Nope__c: our user sees none", id="object"),
        pytest.param({"sort_by": {"Nope__c": "AccountId"}}, "object Nope__c", id="object that is sorted"),
        pytest.param({"assignment_rule_ids": {"Case": "01Q"}}, "object Case", id="object with a rule"),
        pytest.param({"external_ids": {"Contact": "Nope__c"}}, "field Nope__c of Contact", id="external id"),
        pytest.param({"external_ids": {"Contact": "LastName"}}, "expected an external id", id="no external id"),
        pytest.param({"identifier_fields": {"Contact": "Nope__c"}}, "expected a text field", id="identifier"),
        pytest.param({"identifier_fields": {"Contact": "Score__c"}}, "expected a text field", id="a number"),
        pytest.param({"identifier_fields": {"User": "ReadOnly__c"}}, "our user may write", id="read only"),
        pytest.param({"hard_deletes": ["User"]}, "may not delete its records", id="right to delete"),
    ],
)
async def test_it_names_what_is_missing(settings: dict[str, Any], expected: str) -> None:
    with pytest.raises(Misconfigured, match=expected):
        await check(**settings)


async def test_it_names_all_at_once() -> None:
    with pytest.raises(Misconfigured, match=r"field A of Contact .*; field B of Contact .*; object Case"):
        await check(
            external_ids={"Contact": "A"}, identifier_fields={"Contact": "B"}, assignment_rule_ids={"Case": "01Q"}
        )


async def test_a_version_that_is_not_there_is_for_a_person() -> None:
    client = calls(NOT_FOUND)
    with pytest.raises(Misconfigured, match="`api_version`"):
        await check_org(bulk2_settings(), client, Descriptions(client.find, 1.0, lambda: 0.0), needs_identifier=True)
