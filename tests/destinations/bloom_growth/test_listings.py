"""Lists that together show a record wherever the server may have put it."""

import pytest

from sluice.destinations.bloom_growth.listings import all_lists, open_list, own_lists


@pytest.mark.parametrize(
    ("kind", "meeting_id", "owners", "paths"),
    [
        pytest.param("issue", 12, [4], ["L10/12/issues?include_resolved=true"], id="issue"),
        pytest.param("todo", 12, [4], ["L10/12/todos?INCLUDE_CLOSED=true"], id="todo"),
        pytest.param("todo", None, [4, 1], ["todo/users/mine", "todo/user/4"], id="personal todo, both owners"),
        pytest.param(
            "goal",
            12,
            [4],
            ["L10/12/rocks?INCLUDE_ARCHIVE=true", "archivedrocks/user/1", "archivedrocks/user/4"],
            id="goal, archived out of its meeting",
        ),
        pytest.param(
            "goal", None, [], ["rocks/user/1?include_origin=true", "archivedrocks/user/1"], id="goal without a meeting"
        ),
        pytest.param("meeting", None, [], ["L10/list"], id="meeting"),
        pytest.param("headline", 12, [4], ["L10/12/headlines"], id="headline"),
    ],
)
def test_lists_of_a_place(kind: str, meeting_id: int | None, owners: list[int], paths: list[str]) -> None:
    assert list(all_lists(kind, meeting_id, owners, me=1)) == paths


def test_other_lists() -> None:
    assert open_list("goal", 12) == "L10/12/rocks"
    assert own_lists(1)["goal"] == "rocks/user/1"
