"""Reads of a tenant's definitions, as in blueconic.md §8 and §9."""

import pytest

from sandbox.blueconic.endpoints import ENDPOINTS
from sandbox.blueconic.settings import Settings
from tests.sandbox.blueconic.tenants import Tenant, tenant


@pytest.mark.parametrize(
    ("name", "first"),
    [
        pytest.param(
            "groupTypes", {"id": "company", "name": "Company", "pluralName": "Companies"}, id="§9 R98: group types"
        ),
        pytest.param(
            "profileProperties",
            {"id": "crm_id", "name": "crm_id", "uniqueIdentifier": True},
            id="§9 R98: properties of profiles",
        ),
    ],
)
async def test_a_tenant_lists_its_definitions(blueconic: Tenant, name: str, first: dict[str, object]) -> None:
    page = (await blueconic.http.get(f"/{name}")).json()
    assert page[name][0] == first
    assert page["totalResults"] == len(page[name])


async def test_the_properties_of_a_group_type_are_those_with_its_prefix() -> None:
    async with tenant(Settings(defined_properties=frozenset({"company_name", "age"}))) as defined:
        page = (await defined.http.get("/profileProperties?groupTypeId=company")).json()
        assert [one["id"] for one in page["profileProperties"]] == ["company_name"]


async def test_timeline_event_types_are_listed(blueconic: Tenant) -> None:
    page = (await blueconic.http.get("/timelineEventTypes")).json()
    assert page["timelineEventTypes"][0]["id"] == "order"


async def test_the_tenants_own_definition_names_every_endpoint(blueconic: Tenant) -> None:
    paths = (await blueconic.http.get("/openapi.json")).json()["paths"]
    operations = {one["operationId"] for path in paths.values() for one in path.values()}
    assert operations == {endpoint.operation for endpoint in ENDPOINTS}
