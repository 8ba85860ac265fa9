"""Measurables, scores and weeks, as in bloom_growth.md §3 row 33, §7 and §8."""

from typing import Any

import pytest

from tests.sandbox.bloom_growth.tenants import BloomTenant

WEEK_S = 7 * 86_400
SCORE_NAMES = "Id MeasurableId AccountableUserId MeasurableName Target Measured Week ForWeek DateEntered"


async def _week(bloom: BloomTenant) -> int:
    return int((await bloom.get("weeks/current"))["ForWeekNumber"])


async def _scores(bloom: BloomTenant, measurable: int) -> dict[int, dict[str, Any]]:
    found = await bloom.get(f"scorecard/meeting/{await bloom.meeting()}")
    return {one["ForWeek"]: one for one in found["Scores"] if one["MeasurableId"] == measurable}


async def _measurable(bloom: BloomTenant) -> int:
    return int((await bloom.get(f"L10/{await bloom.meeting()}/measurables"))[0]["Id"])


async def test_measurables_have_everything_a_client_reads(bloom: BloomTenant) -> None:
    """§3.33, §7."""
    found = await bloom.get(f"L10/{await bloom.meeting()}/measurables")
    assert list(found[0]) == ["Id", "Type", "Key", "Name", "Target", "Modifiers", "Direction", "Owner"]
    assert (found[0]["Name"], found[0]["Target"], found[0]["Owner"]["Name"]) == ("Weekly revenue", 84000, "Jonas Weber")


async def test_scores_have_everything_a_client_reads(bloom: BloomTenant) -> None:
    """§8: one for each of the last 13 weeks, this one still to be entered."""
    scores = await _scores(bloom, await _measurable(bloom))
    week = await _week(bloom)
    assert list(scores) == list(range(week - 12, week + 1))
    assert " ".join(scores[week]) == SCORE_NAMES
    assert [score["Measured"] is None for score in scores.values()] == [False] * 12 + [True]
    assert len({score["Id"] for score in scores.values()}) == 13


async def test_a_measurable_without_a_target_has_none_in_a_list_and_null_in_scorecards(bloom: BloomTenant) -> None:
    """§7 [client]: null crashes the SDK's parser in the meeting's list, and does occur live in scorecards; §8."""
    sales = await bloom.meeting("Sales")
    found = {one["Name"]: one for one in await bloom.get(f"L10/{sales}/measurables")}
    scores = (await bloom.get(f"scorecard/meeting/{sales}"))["Scores"]
    assert [name for name, one in found.items() if "Target" not in one] == ["Quotes sent"]
    assert {one["MeasurableName"] for one in scores if one["Target"] is None} == {"Quotes sent"}


async def test_a_users_scorecard_has_what_the_user_is_accountable_for(bloom: BloomTenant) -> None:
    """§8."""
    me = await bloom.me()
    scores = (await bloom.get(f"scorecard/user/{me}"))["Scores"]
    assert {one["AccountableUserId"] for one in scores} == {me}
    assert {one["MeasurableName"] for one in scores} == {"Open positions"}


@pytest.mark.parametrize("value", [pytest.param(5, id="whole"), pytest.param(97.5, id="with a fraction")])
async def test_a_score_is_entered_and_read_back(bloom: BloomTenant, value: float) -> None:
    """§8 ``PUT measurables/{id}/week/{weekNumber}``."""
    measurable, week = await _measurable(bloom), await _week(bloom)
    assert await bloom.send("PUT", f"measurables/{measurable}/week/{week}", {"value": value}) is None
    score = (await _scores(bloom, measurable))[week]
    assert score["Measured"] == value
    assert score["DateEntered"] is not None


async def test_another_week_may_be_scored_too(bloom: BloomTenant) -> None:
    measurable, week = await _measurable(bloom), await _week(bloom)
    await bloom.send("PUT", f"measurables/{measurable}/week/{week + 2}", {"value": 1})
    assert (await _scores(bloom, measurable))[week + 2]["Measured"] == 1


@pytest.mark.parametrize(
    ("body", "weeks", "status"),
    [
        pytest.param({}, 0, 400, id="§10 no value"),
        pytest.param({"value": "5"}, 0, 400, id="§10 wrong type"),
        pytest.param({"value": 5}, 54, 404, id="no such week"),
    ],
)
async def test_a_bad_score_is_refused(bloom: BloomTenant, body: dict[str, object], weeks: int, status: int) -> None:
    path = f"measurables/{await _measurable(bloom)}/week/{await _week(bloom) + weeks}"
    assert await bloom.status("PUT", path, body) == status


async def test_weeks_go_on_with_the_clock(bloom: BloomTenant) -> None:
    week = await _week(bloom)
    await bloom.control.advance(WEEK_S)
    assert await _week(bloom) == week + 1
    assert list(await _scores(bloom, await _measurable(bloom)))[-1] == week + 1
