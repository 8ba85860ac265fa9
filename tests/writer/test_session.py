"""Session: one membership in the group, until it is told to stop or something fails."""

import asyncio

import pytest
from aiokafka.errors import KafkaError

from sluice.client.connection import Connection
from sluice.destinations.contract import Account
from sluice.flow.batch import Batch
from sluice.flow.outcome import Outcome
from sluice.flow.windows import WindowSettings
from sluice.kafka.settings import KafkaSettings
from sluice.kafka.topic_admin import TopicState
from sluice.settings import DestinationEntry
from sluice.topics import topics_of
from sluice.writer.session import Session, _cause_of
from tests.support.fakes import FakeDestination, deliver_all
from tests.support.topics import read_all
from tests.support.writer_process import eventually
from tests.writer.in_process import is_true, make_writer

UNFORESEEN, GONE = ZeroDivisionError(), KafkaError()


def _session(destination: Account) -> Session:
    """A session that has not begun; it has no Kafka."""
    connection = Connection(kafka=KafkaSettings(bootstrap_servers="nowhere:9"), topic_prefix="", destinations=("crm",))
    writer = make_writer(connection, destination, DestinationEntry(to=None))
    return Session(writer._parts, None, [TopicState(name, 1, 1) for name in topics_of("crm").all])


async def test_session_that_is_to_stop_before_it_begins_joins_nothing() -> None:
    session, stop = _session(FakeDestination()), asyncio.Event()
    stop.set()
    assert await session.run(stop) is None
    assert session.assignment is None


async def test_answers_that_come_after_something_unforeseen_are_settled(backlog: Connection) -> None:
    stop, failed = asyncio.Event(), asyncio.Event()

    async def answer(batch: Batch) -> list[Outcome]:
        await stop.wait()
        await asyncio.sleep(0.2)  # the vendor's latency: the writer is draining by then
        if batch.items[0].offset == 0:
            failed.set()
            raise UNFORESEEN
        await failed.wait()
        await asyncio.sleep(1.0)
        return deliver_all(batch)

    destination = FakeDestination(answer)
    writer = make_writer(backlog, destination, DestinationEntry(to=None, window=WindowSettings(max_items=3)))
    others = asyncio.all_tasks()
    running = asyncio.create_task(writer.run(stop))
    await eventually(lambda: is_true(len(destination.requests) == 2))
    stop.set()
    with pytest.raises(ZeroDivisionError):
        await running
    assert asyncio.all_tasks() == others  # nothing is left to itself, such as a lane's producer
    assert len(await read_all(backlog, backlog.topics("crm").succeeded)) == 3


@pytest.mark.parametrize(
    ("failures", "cause"),
    [
        pytest.param([KafkaError(), ExceptionGroup("", [UNFORESEEN])], UNFORESEEN, id="what nobody foresaw"),
        pytest.param([GONE, KafkaError()], GONE, id="the first of Kafka's"),
    ],
)
def test_failure_that_matters_most_is_raised(failures: list[Exception], cause: Exception) -> None:
    assert _cause_of(ExceptionGroup("two tasks", failures)) is cause
