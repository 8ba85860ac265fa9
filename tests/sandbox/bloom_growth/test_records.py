"""Laws of the stores: a stored object is found by id, meeting and person, in the order of ids."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.bloom_growth.records import Records, StorageLimit
from sandbox.bloom_growth.refusals import Refusal
from sandbox.bloom_growth.rows import Goal
from sandbox.bloom_growth.settings import Settings
from tests.sandbox.bloom_growth.tenants import BloomTenant, bloom_tenant

KEYS = st.integers(1, 8)
PEOPLE = st.integers(1, 3)
ORIGINS = st.lists(st.integers(11, 13), unique=True)
STEPS = st.lists(st.tuples(KEYS, PEOPLE, ORIGINS, st.booleans()), max_size=40)


def _goal(owner_id: int, origins: list[int], title: str = "t") -> Goal:
    return Goal(title=title, owner_id=owner_id, created_at="", due_at="", origins=origins)


@given(steps=STEPS)
def test_lists_are_what_a_search_through_everything_finds(steps: list[tuple[int, int, list[int], bool]]) -> None:
    storage = StorageLimit(1_000_000)
    records, model = Records("goal", Goal, storage), dict[int, Goal]()
    for key, owner_id, origins, is_kept in steps:
        if is_kept:
            records.put(key, _goal(owner_id, origins))
            model[key] = _goal(owner_id, origins)
        elif key in model:
            records.remove(key)
            del model[key]
    everything = sorted(model.items())
    assert len(records) == len(model)
    for person in (1, 2, 3):
        assert records.of_person(person) == [(key, row) for key, row in everything if row.owner_id == person]
    for meeting in (11, 12, 13):
        assert records.of_meeting(meeting) == [(key, row) for key, row in everything if meeting in row.origins]


@given(titles=st.lists(st.text(max_size=50), max_size=20))
def test_space_is_given_back_to_the_last_byte(titles: list[str]) -> None:
    storage = StorageLimit(1_000_000)
    records = Records("goal", Goal, storage)
    for key, title in enumerate(titles):
        records.put(key % 5, _goal(1, [], title))
    for key in range(min(5, len(titles))):
        records.remove(key)
    assert storage.used_bytes == 0


def test_a_row_that_does_not_fit_leaves_the_one_before() -> None:
    records = Records("goal", Goal, StorageLimit(1000))
    records.put(1, _goal(1, []))
    with pytest.raises(Refusal):
        records.put(1, _goal(2, [], "x" * 1000))
    assert records.get(1) == _goal(1, [])
    assert records.of_person(2) == []


async def test_what_does_not_fit_is_a_503_and_changes_nothing() -> None:
    async with bloom_tenant(Settings(requests_per_second=None, max_stored_bytes=100_000)) as small:
        meeting = await small.meeting()
        before = await small.control.state()
        notes = "x" * 100_000
        assert await small.status("POST", f"L10/{meeting}/issues", {"title": "t", "notes": notes}) == 503
        assert await small.control.state() == before
        assert await small.status("POST", f"L10/{meeting}/issues", {"title": "t"}) == 200


@pytest.mark.parametrize(
    ("kind", "path", "deleted_at", "listed_at"),
    [
        pytest.param("issues", "issues/{id}", "L10/{mid}/issues/{id}", "issues/users/{me}", id="§3.6 an issue"),
        pytest.param("rocks", "rocks/{id}", "rocks/{id}", "rocks/user/{me}", id="§3.22 a goal"),
        pytest.param("headlines", "headline/{id}", "headline/{id}", "headline/users/{me}", id="§8 a headline"),
    ],
)
async def test_what_is_deleted_is_gone_and_unknown_the_second_time(
    bloom: BloomTenant, kind: str, path: str, deleted_at: str, listed_at: str
) -> None:
    """§12."""
    made, me = await bloom.create(kind), await bloom.me()
    deleted_at = deleted_at.format(id=made["Id"], mid=await bloom.meeting())
    assert await bloom.send("DELETE", deleted_at) is None
    assert made["Id"] not in [one["Id"] for one in await bloom.get(listed_at.format(me=me))]
    assert await bloom.status("GET", path.format(id=made["Id"])) == 404
    assert await bloom.status("DELETE", deleted_at) == 404


async def test_what_is_deleted_makes_room(bloom: BloomTenant) -> None:
    before = (await bloom.control.state())["stored_bytes"]
    goal = await bloom.send("POST", "rocks/create", {"title": "x" * 1000})
    assert (await bloom.control.state())["stored_bytes"] != before
    await bloom.send("DELETE", f"rocks/{goal['Id']}")
    assert (await bloom.control.state())["stored_bytes"] == before
