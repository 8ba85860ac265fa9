"""Headlines as in bloom_growth.md §8."""

import pytest

from tests.sandbox.bloom_growth.tenants import BloomTenant

NAMES = "Id Type Key Name DetailsUrl OriginId Origin Owner Archived CreateTime CloseTime"


async def test_a_created_headline_has_everything_a_client_reads(bloom: BloomTenant) -> None:
    headline = await bloom.create("headlines", ownerId=await bloom.user("maria"), notes="n")
    assert " ".join(headline) == NAMES
    assert (headline["Owner"]["Name"], headline["Origin"]) == ("Maria Lopez", "Leadership Team L10")
    assert (headline["Archived"], headline["CloseTime"]) == (False, None)
    assert await bloom.get(f"headline/{headline['Id']}") == headline


@pytest.mark.parametrize(("notes", "has_url"), [("n", True), (None, False)])
async def test_a_headline_without_notes_has_no_pad(bloom: BloomTenant, notes: str | None, has_url: bool) -> None:
    assert ((await bloom.create("headlines", notes=notes))["DetailsUrl"] is not None) == has_url


async def test_an_update_has_an_empty_answer_and_is_read_back(bloom: BloomTenant) -> None:
    headline = await bloom.create("headlines")
    body = {"title": "new", "ownerId": await bloom.user("maria"), "notes": "n"}
    assert await bloom.send("PUT", f"headline/{headline['Id']}", body) is None
    read = await bloom.get(f"headline/{headline['Id']}")
    assert (read["Name"], read["Owner"]["Name"]) == ("new", "Maria Lopez")
    assert read["DetailsUrl"] is not None


async def test_headlines_are_listed_by_meeting_and_by_user(bloom: BloomTenant) -> None:
    headline = await bloom.create("headlines")
    assert (await bloom.get(f"L10/{headline['OriginId']}/headlines"))[-1] == headline
    assert (await bloom.get(f"headline/users/{await bloom.me()}"))[-1] == headline


async def test_a_headline_without_a_title_is_a_400(bloom: BloomTenant) -> None:
    assert await bloom.status("POST", f"L10/{await bloom.meeting()}/headlines", {}) == 400
