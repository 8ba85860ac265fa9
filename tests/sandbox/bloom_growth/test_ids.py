"""Ids grow per kind, not over all kinds. bloom_growth.md §15."""

from typing import Any

import pytest

from sandbox.bloom_growth.ids import Ids
from sandbox.bloom_growth.settings import Settings
from tests.sandbox.bloom_growth.tenants import BloomTenant, bloom_tenant

KINDS = ("issues", "todos", "rocks", "headlines")


async def _made(bloom: BloomTenant, kind: str) -> int:
    return int((await bloom.create(kind))["Id"])


async def test_each_kind_counts_by_itself(bloom: BloomTenant) -> None:
    first = [await _made(bloom, kind) for kind in KINDS]
    assert [await _made(bloom, kind) for kind in KINDS] == [one + 1 for one in first]


async def test_the_kinds_lie_where_the_document_has_seen_them(bloom: BloomTenant) -> None:
    """§15: issue 28471978, goal 5265048, meeting 349524."""
    ids = [await bloom.meeting(), await _made(bloom, "issues"), await _made(bloom, "rocks")]
    assert [one // 1000 for one in ids] == [349, 28_471, 5_265]


async def test_an_id_of_one_kind_is_unknown_to_the_others(bloom: BloomTenant) -> None:
    issue = await _made(bloom, "issues")
    assert [await bloom.status("GET", f"{kind}/{issue}") for kind in ("todo", "rocks", "headline", "L10")] == [404] * 4


async def test_the_first_meetings_and_users_may_be_given_their_ids() -> None:
    """§15; public examples hard-code meeting 123 and users 456 and 789."""
    settings = Settings(requests_per_second=None, meeting_ids=(123,), user_ids=(456, 789))
    async with bloom_tenant(settings) as bloom:
        assert (await bloom.meeting(), await bloom.me()) == (123, 456)
        goal: dict[str, Any] = await bloom.send("POST", "L10/123/rocks", {"title": "t", "accountableUserId": 789})
        assert goal["Owner"]["Name"] == "Priya Nair"


@pytest.mark.parametrize(
    "given",
    [
        pytest.param((349_525,), id="one later"),
        pytest.param((349_524, 1), id="the first"),
        pytest.param((7, 7), id="twice the same"),
    ],
)
def test_a_given_id_is_never_counted_again(given: tuple[int, ...]) -> None:
    ids = Ids({"meeting": given})
    numbered = [ids.next("meeting") for _ in range(5)]
    assert numbered[0] == given[0]
    assert set(given) < set(numbered)
    assert len(set(numbered)) == 5
