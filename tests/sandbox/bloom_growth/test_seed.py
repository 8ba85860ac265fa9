"""The organisation that every sandbox starts with."""

import re

from sandbox.bloom_growth.settings import Settings
from tests.sandbox.bloom_growth.tenants import BloomTenant, bloom_tenant


async def _everything(tenant: BloomTenant) -> str:
    meetings = [one["Id"] for one in await tenant.get("L10/list")]
    lists = ("", "/attendees", "/issues", "/todos", "/rocks", "/headlines", "/measurables")
    paths = [f"L10/{meeting}{name}" for meeting in meetings for name in lists]
    text = "".join([(await tenant.http.get(path)).text for path in paths])
    text = text.replace(tenant.url, "")
    return re.sub(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", "(instant)", text)


async def test_every_sandbox_starts_alike_and_a_reset_is_a_start(bloom: BloomTenant) -> None:
    async with bloom_tenant() as another:
        first = await _everything(bloom)
        assert await _everything(another) == first
        await bloom.send("POST", "L10/create", {"title": "t", "addSelf": True})
        await bloom.control.reset()
        assert await _everything(bloom) == first


async def test_an_empty_tenant_has_people_and_nothing_else() -> None:
    async with bloom_tenant(Settings(requests_per_second=None, is_empty=True)) as empty:
        assert await empty.get("L10/list") == []
        assert await empty.user("maria") > 0
        meeting = (await empty.send("POST", "L10/create", {"title": "t", "addSelf": True}))["meetingId"]
        assert [one["Id"] for one in await empty.get("L10/list")] == [meeting]
