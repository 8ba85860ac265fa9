"""Table of the stories, by the name of their vendor."""

from collections.abc import Callable
from typing import NamedTuple

from demo.bloom_growth.weekly_story import WeeklyStory
from demo.blueconic.airports_story import AirportsStory
from demo.liquid_decisions.shop_story import ShopStory
from demo.salesforce.baseball_story import BaseballStory
from demo.story import Story


class Choices(NamedTuple):
    """Choices of whoever starts the demo."""

    records: int | None
    """Airports, players, vulnerabilities or orders; ``None`` for all."""
    outage_s: float
    api: str
    """The version of Salesforce's Bulk API."""


STORIES: dict[str, Callable[[Choices], Story]] = {
    "blueconic": lambda choices: AirportsStory(choices.records, outage_s=choices.outage_s),
    "salesforce": lambda choices: BaseballStory(choices.records, outage_s=choices.outage_s, api=choices.api),
    "bloom_growth": lambda choices: WeeklyStory(choices.records, outage_s=choices.outage_s),
    "liquid_decisions": lambda choices: ShopStory(choices.records, outage_s=choices.outage_s),
}
