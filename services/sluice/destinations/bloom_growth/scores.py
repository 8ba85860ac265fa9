"""Scores of a scorecard: the value of a measurable in a week. §8"""

from sluice.destinations.bloom_growth.api import Api
from sluice.destinations.bloom_growth.refs import id_in
from sluice.destinations.bloom_growth.work import Score
from sluice.destinations.contract import Refused
from sluice.destinations.item_calls import Calls
from sluice.flow.batch import Item
from sluice.flow.outcome import Fate, Outcome

WEEK = "week"
"""Ref of an item without a week of its own: the vendor's current one at its first try."""


async def write_score(score: Score, item: Item, api: Api, calls: Calls) -> Outcome:
    """Enter the value. Raises ``BatchError``."""
    week = id_in(item.refs, WEEK) if score.week is None else score.week
    if week is None:
        # The vendor's weeks begin when it says, so they are never computed here. §15
        current = (await api.read("weeks/current", calls.permit)).for_week_number
        if current is None:
            raise Refused("no-week", "expected the current week in the answer, got none; name `week`")
        week = current
        # A repeat past midnight must not write into the week after.
        await calls.note({WEEK: str(week)})
    await api.change("PUT", f"measurables/{score.id}/week/{week}", calls.permit, bytes(score.body))
    return Outcome(Fate.DELIVERED, "UPDATED", record_id=str(score.id))
