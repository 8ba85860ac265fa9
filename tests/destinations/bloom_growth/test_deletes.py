"""Deletes, and the 404 that is our own doing."""

import httpx
import pytest

from sluice.destinations.contract import Ambiguous, Refused
from tests.destinations.bloom_growth.offline import EMPTY, answering, issue, item_of, paths, scripted, write
from tests.support.factories import record
from tests.support.fake_calls import FakeCalls

GONE = httpx.Response(404, json={"Message": "There is no issue 7."})
NAMED = issue("delete", "7", meeting_id=12)
DELETE = "DELETE L10/12/issues/7"


@pytest.mark.parametrize(("object_", "path"), [("goal", "rocks/7"), ("meeting", "L10/7"), ("headline", "headline/7")])
async def test_each_object_is_deleted_by_its_call(object_: str, path: str) -> None:
    outcome = await write(answering(scripted({f"DELETE {path}": EMPTY})), record(object_, "delete", "7"))
    assert (outcome.code, outcome.record_id) == ("DELETED", "7")


async def test_an_issues_meeting_is_read_unless_it_is_named() -> None:
    requests: list[httpx.Request] = []
    script = {"GET issues/7": httpx.Response(200, json={"Id": 7, "OriginId": 12}), DELETE: EMPTY}
    await write(answering(scripted(script), requests=requests), issue("delete", "7"))
    await write(answering(scripted(script), requests=requests), NAMED)
    assert paths(requests) == ["GET issues/7", DELETE, DELETE]


async def test_an_issue_without_a_meeting_must_name_one() -> None:
    with pytest.raises(Refused, match="name `meeting_id`"):
        await write(answering(scripted({"GET issues/7": httpx.Response(200, json={"Id": 7})})), issue("delete", "7"))


async def test_an_unknown_record_is_refused() -> None:
    with pytest.raises(Refused, match="There is no issue 7"):
        await write(answering(scripted({DELETE: GONE})), NAMED)


@pytest.mark.parametrize(
    "event", [pytest.param(NAMED, id="named"), pytest.param(issue("delete", "7"), id="to be read")]
)
async def test_a_404_after_our_own_lost_delete_means_done(event: object) -> None:
    item = item_of(NAMED)
    calls = FakeCalls(item)
    destination = answering(scripted({DELETE: [httpx.ReadError(""), GONE], "GET issues/7": GONE}))
    with pytest.raises(Ambiguous):
        await destination.write_item(item, calls)
    assert (await write(destination, issue("delete", "7"), item.refs)).code == "DELETED"
    assert (await write(destination, NAMED, item.refs)).code == "DELETED"


async def test_a_404_is_not_our_doing_when_the_record_is_redriven() -> None:
    """Neither as it was refused, nor with its key corrected after a lost answer."""
    item = item_of(NAMED)
    destination = answering(scripted({DELETE: [GONE, GONE], "DELETE L10/12/issues/8": GONE}))
    for _ in range(2):
        with pytest.raises(Refused, match="There is no issue 7"):
            await destination.write_item(item, FakeCalls(item))
    with pytest.raises(Refused, match="There is no issue"):
        await write(destination, issue("delete", "8", meeting_id=12), {"deleting": "7"})
