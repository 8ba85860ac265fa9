"""Ways: a batch is sent in the way that its vendor takes batches."""

from typing import Any

import pytest

from sluice.client.connection import Connection
from sluice.destinations.contract import Account
from sluice.destinations.vendor_jobs import JobDestination
from sluice.flow.windows import WindowLimits
from sluice.kafka.settings import KafkaSettings
from sluice.kafka.topic_admin import TopicState
from sluice.settings import DestinationEntry
from sluice.telemetry.metrics import WriterMetrics
from sluice.topics import topics_of
from sluice.writer.delivery.batch_sender import BatchSender
from sluice.writer.delivery.mixed_senders import Divider
from sluice.writer.session import Session
from sluice.writer.vendor_jobs.submitter import Submitter
from sluice.writer.ways import ways_of
from tests.support.factories import make_batch, make_items
from tests.support.fake_jobs import FakeJobDestination, FakeMixedDestination
from tests.support.fakes import FakeDestination, FakeLane, lanes_of
from tests.writer.delivery.setups import make_limiter
from tests.writer.in_process import make_writer


def _session(destination: Account) -> Session:
    """A session that has not begun; it has no Kafka."""
    connection = Connection(kafka=KafkaSettings(bootstrap_servers="nowhere:9"), topic_prefix="", destinations=("crm",))
    writer = make_writer(connection, destination, DestinationEntry(to=None))
    return Session(writer._parts, None, [TopicState(name, 1, 1) for name in topics_of("crm").all])


LIMITS = WindowLimits(max_items=10, max_bytes=1_000, max_age_s=1.0)


@pytest.mark.parametrize(
    ("destination", "count", "kind"),
    [
        pytest.param(FakeDestination(), 5, BatchSender, id="at once"),
        pytest.param(FakeJobDestination(), 1, Submitter, id="as a job"),
        pytest.param(FakeMixedDestination(), 1, BatchSender, id="a few at once, of a vendor that runs jobs too"),
        pytest.param(FakeMixedDestination(), 5, Submitter, id="many of them as a job"),
    ],
)
def test_batch_is_sent_in_the_way_that_its_vendor_takes_batches(destination: Account, count: int, kind: type) -> None:
    jobs = _session(destination)._job_runner()
    assert (jobs is not None) is isinstance(destination, JobDestination)
    ways = ways_of(destination, jobs, LIMITS, make_limiter(), lanes_of(FakeLane()), WriterMetrics("crm"))
    sender = ways.sender_of(make_batch(make_items(count)))
    assert isinstance(sender, kind)
    assert ways.takes_room(sender) or kind is not Submitter
    assert not isinstance(sender, Divider)


def test_destination_of_no_kind_is_named() -> None:
    class Mute:
        limits = FakeDestination().limits
        encode = FakeDestination.encode

    mute: Any = Mute()
    with pytest.raises(TypeError, match="expected a destination kind, got Mute"):
        ways_of(mute, None, LIMITS, make_limiter(), lanes_of(FakeLane()), WriterMetrics("crm"))
