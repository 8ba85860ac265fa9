"""Users, seats, direct reports and searches as in bloom_growth.md §3 row 34 and §8."""

from typing import Any

import pytest

from tests.sandbox.bloom_growth.tenants import BloomTenant


async def test_the_caller_is_users_mine(bloom: BloomTenant) -> None:
    """§2, §3.34: its ``Id`` is the default owner everywhere."""
    me = await bloom.get("users/mine")
    assert list(me) == ["Id", "Type", "Key", "Name", "ImageUrl"]
    assert me["Id"] > 0
    assert isinstance(me["ImageUrl"], str)
    assert await bloom.get(f"users/{me['Id']}") == me


async def test_direct_reports_are_users(bloom: BloomTenant) -> None:
    """§8."""
    reports = await bloom.get(f"users/{await bloom.me()}/directreports")
    assert [one["Name"] for one in reports] == ["Jonas Weber", "Maria Lopez", "Samuel Okafor", "Hannah Lindqvist"]
    assert list(reports[0]) == ["Id", "Type", "Key", "Name", "ImageUrl"]


@pytest.mark.parametrize(("user", "position"), [("alex", "Integrator"), ("grace", None)])
async def test_seats_wrap_a_position(bloom: BloomTenant, user: str, position: str | None) -> None:
    [seat] = await bloom.get(f"users/{await bloom.user(user)}/seats")
    assert list(seat["Group"]["Position"]) == ["Id", "Name"]
    assert seat["Group"]["Position"]["Name"] == position


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
