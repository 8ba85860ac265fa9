"""Feed: every change from an instant on, to its end as it was at the first answer."""

from typing import Any

import httpx
import pytest

from sluice.destinations.contract import BatchError, Misconfigured, Unavailable
from sluice.destinations.liquid_decisions.feed import Cursor, Feed
from tests.destinations.liquid_decisions.offline import DATE_MS, Answer, Offline, item, json


def _page(*keys: str, at_ms: int = DATE_MS, last: str | None = "a1") -> httpx.Response:
    return json({"items": [item({"accountId": key}) for key in keys], "maxProcessedAt": at_ms, "lastId": last})


async def _read(offline: Offline, since_ms: int = DATE_MS) -> list[str]:
    pages = Feed(offline.calls, 2).pages("Account", Cursor.since(since_ms))
    return [one.data["accountId"] async for page in pages for one in page.items]


async def test_it_goes_on_from_the_vendors_own_words_until_an_empty_page() -> None:
    end = _page(at_ms=DATE_MS + 1, last="c3")
    offline = Offline({"updates": [_page("a", "b"), _page("c", at_ms=DATE_MS + 1, last="c3"), end]})
    assert await _read(offline) == ["a", "b", "c"]
    first, second, third = offline.forms("updates")
    assert first == {"itemType": "Account", "processedAfter": str(DATE_MS - 1), "max": "2"}
    assert (second["processedAfter"], second["lastId"]) == (str(DATE_MS), "a1")
    assert (third["processedAfter"], third["lastId"]) == (str(DATE_MS + 1), "c3")


async def test_what_comes_after_the_first_answer_is_not_waited_for() -> None:
    offline = Offline({"updates": [_page("a"), _page("b", at_ms=DATE_MS + 100_000, last="b"), _page("c", last="c")]})
    assert await _read(offline) == ["a", "b"]


async def test_a_feed_that_stands_still_is_an_outage() -> None:
    with pytest.raises(Unavailable, match="does not go on"):
        await _read(Offline({"updates": _page("a")}))


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        pytest.param(json({"error": "max"}, 400), Misconfigured, id="a page that is too large"),
        pytest.param(json([]), Unavailable, id="no feed"),
        pytest.param(json({"error": "busy"}, 503), Unavailable, id="busy"),
    ],
)
async def test_a_feed_that_cannot_be_read(answer: Answer, kind: type[BatchError]) -> None:
    with pytest.raises(kind):
        await _read(Offline({"updates": answer}))


def test_the_very_millisecond_belongs_to_it() -> None:
    assert Cursor.since(7) == Cursor(6)
    assert Cursor.since(0) == Cursor(0)


async def test_numbers_may_come_as_texts() -> None:
    answer: Any = {"items": [item({"accountId": "a"})], "maxProcessedAt": str(DATE_MS), "lastId": "z"}
    assert await _read(Offline({"updates": [json(answer), _page(last="z")]})) == ["a"]
