"""``items/updates`` as liquid_decisions.md §5 has it."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sandbox.liquid_decisions.faults import LateCommit
from sandbox.liquid_decisions.settings import Settings
from tests.sandbox.liquid_decisions.service import Service, item, service


async def _pages(liquid: Service, count: int) -> list[str]:
    """Return every key of the feed, read as the document's loop does."""
    keys: list[str] = []
    form = {"itemType": "Account", "max": str(count)}
    while True:
        page = (await liquid.post("items/updates", **form)).json()
        keys += [one["data"]["accountId"] for one in page["items"]]
        if len(page["items"]) < count:
            return keys
        form |= {"processedAfter": str(page["maxProcessedAt"]), "lastId": page["lastId"]}


@given(batches=st.lists(st.lists(st.sampled_from("abcdefgh"), max_size=8), max_size=6), count=st.integers(1, 4))
@settings(max_examples=25, deadline=None)
async def test_the_loop_never_skips_and_never_repeats(batches: list[list[str]], count: int) -> None:
    async with service() as liquid:
        for batch in batches:
            await liquid.upsert(*(item(key) for key in batch))
        expected = {key for batch in batches for key in batch}
        keys = await _pages(liquid, count)
    assert sorted(keys) == sorted(expected)


async def test_a_write_between_two_pages_is_not_missed(liquid: Service) -> None:
    await liquid.upsert(*(item(key) for key in "abcd"))
    first = (await liquid.post("items/updates", itemType="Account", max="3")).json()
    await liquid.upsert(item("a", p=1))
    form = {"processedAfter": str(first["maxProcessedAt"]), "lastId": first["lastId"]}
    second = (await liquid.post("items/updates", itemType="Account", max="3", **form)).json()
    assert [one["data"]["accountId"] for one in second["items"]] == ["d", "a"]


async def test_a_page_carries_the_pair_of_its_last_item(liquid: Service) -> None:
    await liquid.upsert(item("a"), item("b"))
    page = (await liquid.post("items/updates", itemType="Account")).json()
    last = page["items"][-1]["headers"]
    assert (list(page), page["maxProcessedAt"], page["lastId"]) == (
        ["items", "maxProcessedAt", "lastId"],
        last["processedAt"],
        last["id"],
    )


async def test_without_a_last_id_the_instant_itself_is_left_out(liquid: Service) -> None:
    await liquid.upsert(item("a"), item("b"))
    at = str((await liquid.items())[0]["headers"]["processedAt"])
    page = (await liquid.post("items/updates", itemType="Account", processedAfter=at)).json()
    assert page == {"items": [], "maxProcessedAt": int(at), "lastId": None}


async def test_an_empty_page_repeats_the_requests_values(liquid: Service) -> None:
    await liquid.upsert(item("a"))
    [one] = await liquid.items()
    pair = {"processedAfter": str(one["headers"]["processedAt"]), "lastId": one["headers"]["id"]}
    page = (await liquid.post("items/updates", itemType="Account", **pair)).json()
    assert page == {"items": [], "maxProcessedAt": one["headers"]["processedAt"], "lastId": one["headers"]["id"]}


async def test_deleted_items_do_not_appear(liquid: Service) -> None:
    await liquid.upsert(item("a"), item("b"), item("a", "Delete"))
    assert [one["accountId"] for one in await liquid.data()] == ["b"]


async def test_a_page_has_100_items_by_default_and_1000_at_most(liquid: Service) -> None:
    await liquid.upsert(*(item(f"k{number}") for number in range(1200)))
    pages = [(await liquid.post("items/updates", itemType="Account", **one)).json() for one in ({}, {"max": "1000"})]
    assert [len(page["items"]) for page in pages] == [100, 1000]


@pytest.mark.parametrize(
    "form",
    [
        pytest.param({}, id="no itemType"),
        pytest.param({"itemType": "Nothing"}, id="unknown itemType"),
        pytest.param({"itemType": "Account", "max": "1001"}, id="§5 max over the ceiling"),
        pytest.param({"itemType": "Account", "max": "0"}, id="max 0"),
        pytest.param({"itemType": "Account", "max": "²"}, id="max no number"),
        pytest.param({"itemType": "Account", "processedAfter": "yesterday"}, id="processedAfter no number"),
        pytest.param({"itemType": "Account", "processedAfter": "9" * 400}, id="processedAfter too large"),
        pytest.param({"itemType": "Account", "lastId": "x"}, id="lastId no h_id"),
    ],
)
async def test_wrong_parameters_are_a_400(liquid: Service, form: dict[str, str]) -> None:
    answer = await liquid.post("items/updates", **form)
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")


async def test_a_late_commit_shows_items_some_seconds_after_their_instant() -> None:
    """§15: items committed late carry an earlier instant, so a reader that does not overlap misses them."""
    async with service() as liquid:
        await liquid.control.add_fault(LateCommit(seconds=60))
        await liquid.upsert(item("late"))
        await liquid.upsert(item("prompt"))
        page = (await liquid.post("items/updates", itemType="Account")).json()
        pair = {"processedAfter": str(page["maxProcessedAt"]), "lastId": page["lastId"]}
        await liquid.wait(61)
        missed = (await liquid.post("items/updates", itemType="Account", **pair)).json()
        keys = [one["accountId"] for one in await liquid.data()]
    assert ([one["data"]["accountId"] for one in page["items"]], missed["items"], keys) == (
        ["prompt"],
        [],
        ["late", "prompt"],
    )


async def test_until_then_the_item_is_seen_as_it_was() -> None:
    async with service() as liquid:
        await liquid.upsert(item("a", p=1), item("b", p=1), item("c", p=1))
        await liquid.control.add_fault(LateCommit(seconds=60, times=2))
        await liquid.upsert(item("a", p=2), item("b", p=2), item("new", p=2))
        await liquid.upsert(item("a", p=3), item("c", "Delete"))
        before = [(one["accountId"], one["p"]) for one in await liquid.data()]
        pages = await _pages(liquid, 1)
        sql = await liquid.query("SELECT p FROM acme_entity_Account ORDER BY accountId")
        await liquid.wait(61)
        after = [(one["accountId"], one["p"]) for one in await liquid.data()]
    assert (before, pages, sql) == ([("a", 1), ("b", 1)], ["a", "b"], [{"p": 3}, {"p": 2}, {"p": 2}])
    assert after == [("b", 2), ("new", 2), ("a", 3)]


async def test_a_later_write_shows_the_item_at_once(liquid: Service) -> None:
    await liquid.control.add_fault(LateCommit(seconds=60))
    await liquid.upsert(item("a", p=1))
    await liquid.upsert(item("a", p=2))
    assert [one["p"] for one in await liquid.data()] == [2]


async def test_every_write_is_late_where_the_settings_say_so_also_of_imports() -> None:
    async with service(Settings(late_commit_s=600)) as liquid:
        await liquid.upsert(item("a"))
        await liquid.imported([item("b")])
        first = await liquid.data()
        await liquid.wait(601)
        assert (first, [one["accountId"] for one in await liquid.data()]) == ([], ["a", "b"])


async def test_a_server_may_answer_fewer_than_max() -> None:
    """§15: the end is an empty page, not a short one."""
    async with service(Settings(short_pages=True, max_updates_items=3)) as liquid:
        await liquid.upsert(*(item(key) for key in "abcde"))
        page = (await liquid.post("items/updates", itemType="Account", max="5000")).json()
    assert [one["data"]["accountId"] for one in page["items"]] == list("abc")


async def test_a_page_within_one_instant_is_found_by_its_id(liquid: Service) -> None:
    await liquid.upsert(*(item(f"{number:02}") for number in range(30)), item("last"))
    assert await _pages(liquid, 7) == [*(f"{number:02}" for number in range(30)), "last"]
