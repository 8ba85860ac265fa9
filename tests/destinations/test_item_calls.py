"""The contract of a vendor that takes one record a call: what tells it from the others."""

from sluice.destinations.contract import Destination
from sluice.destinations.item_calls import ItemDestination
from tests.support.fake_items import FakeItemDestination
from tests.support.fakes import FakeDestination


def test_a_vendor_takes_a_batch_or_an_item_at_a_time() -> None:
    assert isinstance(FakeItemDestination(), ItemDestination)
    assert not isinstance(FakeItemDestination(), Destination)
    assert not isinstance(FakeDestination(), ItemDestination)
