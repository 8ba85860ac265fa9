"""Searches as in bloom_growth.md §8."""

from typing import Any

import pytest

from tests.sandbox.bloom_growth.tenants import BloomTenant


def _names(found: list[dict[str, Any]]) -> list[str]:
    return [one["Name"] for one in found]


async def test_a_search_for_users_has_what_a_client_reads(bloom: BloomTenant) -> None:
    """§8 ``search/user``."""
    [found] = await bloom.get("search/user?term=Lopez")
    assert list(found) == ["Id", "Name", "Description", "Email", "OrganizationId", "ImageUrl"]
    assert (found["Name"], found["Description"]) == ("Maria Lopez", "Head of Operations")
    assert found["Email"] == "maria.lopez@example.com"


@pytest.mark.parametrize(
    ("term", "names"),
    [
        pytest.param("MARIA", ["Maria Lopez"], id="any case"),
        pytest.param("head%sales", ["Jonas Weber"], id="% stands for anything"),
        pytest.param("open seat", [], id="placeholders cannot log in"),
        pytest.param("nora", [], id="not of another organization"),
        pytest.param("zzz", [], id="nobody"),
    ],
)
async def test_a_search_finds_parts_of_any_text(bloom: BloomTenant, term: str, names: list[str]) -> None:
    assert _names((await bloom.http.get("search/user", params={"term": term})).json()) == names


async def test_a_search_for_everything_lists_all_by_type(bloom: BloomTenant) -> None:
    """§8 ``search/all?term=%25``: how the SDK lists users; placeholders have an empty ``Email``."""
    found = await bloom.get("search/all?term=%25")
    assert {one["ResultType"] for one in found} == {"User", "Team", "Position"}
    assert list(found[0])[-1] == "ResultType"
    placeholders = [one["Name"] for one in found if one["ResultType"] == "User" and one["Email"] == ""]
    assert placeholders == ["Open seat, Customer Care"]


async def test_a_search_without_a_term_is_a_400(bloom: BloomTenant) -> None:
    assert await bloom.status("GET", "search/all") == 400
