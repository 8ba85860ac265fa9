"""Users, seats and direct reports as in bloom_growth.md §3 row 34 and §8."""

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
