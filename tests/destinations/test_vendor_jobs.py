"""The contract of vendor jobs: what tells one sort of destination from the other, and what its errors say."""

from sluice.destinations.contract import Destination, Rejection
from sluice.destinations.vendor_jobs import JobDestination, MixedDestination, RefusedItems
from tests.support.fake_jobs import FakeJobDestination, FakeMixedDestination
from tests.support.fakes import FakeDestination


def test_a_destination_that_answers_at_once_runs_no_vendor_jobs() -> None:
    assert isinstance(FakeDestination(), Destination)
    assert not isinstance(FakeDestination(), JobDestination)


def test_refused_items_say_how_many_they_are() -> None:
    error = RefusedItems({3: Rejection("unknown-field", "no such field")})
    assert str(error) == "1 items would be refused"
    assert error.rejections[3].code == "unknown-field"


def test_a_mixed_destination_writes_and_runs_jobs() -> None:
    mixed = FakeMixedDestination()
    assert isinstance(mixed, Destination)
    assert isinstance(mixed, JobDestination)
    assert isinstance(mixed, MixedDestination)
    assert not isinstance(FakeJobDestination(), MixedDestination)
