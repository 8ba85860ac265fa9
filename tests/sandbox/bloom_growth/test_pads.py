"""Notes can be read at their pad. bloom_growth.md §15, §13.7."""

import pytest

from sandbox.bloom_growth.settings import Settings
from tests.sandbox.bloom_growth.tenants import BloomTenant, bloom_tenant

LAGGING = Settings(requests_per_second=None, pad_lag_s=2)


async def _text(bloom: BloomTenant, url: str) -> str:
    """Return a pad's text, asked for without a token."""
    answer = await bloom.http.get(f"{url}/export/txt", headers={"authorization": ""})
    assert (answer.status_code, answer.headers["content-type"]) == (200, "text/plain; charset=utf-8")
    return answer.text


@pytest.mark.parametrize(
    "kind", [pytest.param(kind, id=f"§4, §5, §8 {kind}") for kind in ("issues", "todos", "headlines")]
)
async def test_the_details_url_leads_to_the_notes(bloom: BloomTenant, kind: str) -> None:
    made = await bloom.create(kind, notes="sluice:e-17 ü")
    assert await _text(bloom, made["DetailsUrl"]) == "sluice:e-17 ü"


async def test_a_todos_pad_is_named_when_asked_for(bloom: BloomTenant) -> None:
    """§15: ``GET todo/notes/{id}`` answers ``{"URL": ".../p/{pad}"}``."""
    todo = await bloom.create("todos", notes="n")
    assert await bloom.get(f"todo/notes/{todo['Id']}") == {"URL": todo["DetailsUrl"]}


async def test_without_notes_a_pad_is_empty(bloom: BloomTenant) -> None:
    assert await _text(bloom, (await bloom.create("issues"))["DetailsUrl"]) == ""


async def test_a_pad_lags_its_write() -> None:
    """§15: by 1–2 s."""
    async with bloom_tenant(LAGGING, clock_stopped=True) as bloom:
        todo = await bloom.create("todos", notes="n")
        assert await _text(bloom, todo["DetailsUrl"]) == ""
        await bloom.control.advance(1.9)
        assert await _text(bloom, todo["DetailsUrl"]) == ""
        await bloom.control.advance(0.2)
        assert await _text(bloom, todo["DetailsUrl"]) == "n"


async def test_other_notes_stand_in_another_pad(bloom: BloomTenant) -> None:
    """§13.7 [docs]; the old one is gone [assumed]."""
    issue = await bloom.create("issues", notes="one")
    await bloom.send("PUT", f"issues/{issue['Id']}", {"notes": "two"})
    changed = await bloom.get(f"issues/{issue['Id']}")
    assert await _text(bloom, changed["DetailsUrl"]) == "two"
    assert (await bloom.http.get(f"{issue['DetailsUrl']}/export/txt")).status_code == 404


@pytest.mark.parametrize("pad", ["issue-1-0", "issue-28471978-9", "goal-5265048-0", "x", "issue-x-0", "issue--0"])
async def test_an_unknown_pad_is_a_404(bloom: BloomTenant, pad: str) -> None:
    assert (await bloom.http.get(f"{bloom.url}/p/{pad}/export/txt")).status_code == 404


async def test_the_notes_may_have_a_host_of_their_own() -> None:
    """§4's example."""
    async with bloom_tenant(Settings(requests_per_second=None, notes_url="https://notes.example/p")) as bloom:
        assert (await bloom.create("issues"))["DetailsUrl"].startswith("https://notes.example/p/")
