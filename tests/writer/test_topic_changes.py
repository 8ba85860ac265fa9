"""The writer process when its topics are deleted and made anew: nothing of the old ones counts in the new ones."""

from collections import Counter
from collections.abc import Callable, Sequence

import pytest

from sluice.client.receipts import DeadLetter, Receipt
from sluice.topics import DestinationTopics
from sluice.writer.lanes.state_findings import RECORDS_MADE_ANEW
from tests.support.kafka_admin import remake_topics
from tests.support.stage import Stage, record
from tests.support.writer_process import eventually

LANES = 2


def _key(receipt: Receipt) -> object:
    return None if isinstance(receipt, DeadLetter) else receipt.event.key


async def _publish(stage: Stage, name: str, count: int) -> Counter[object]:
    """Publish records of so many keys; return how many receipts there must be for each."""
    keys = [f"{name}-{number}" for number in range(count)]
    await stage.publish(record(key) for key in keys)
    return Counter(keys)


async def _settled(stage: Stage, expected: Counter[object]) -> None:
    """Wait until each key has its receipt, and see that none has more. Places tell nothing: old receipts have them."""

    async def found() -> Counter[object]:
        return Counter(key for key in map(_key, await stage.receipts()) if key in expected)

    async def all_there() -> bool:
        return set(await found()) == set(expected)

    await eventually(all_there)
    assert await found() == expected


async def _remake(stage: Stage, *names: str) -> None:
    await remake_topics(stage.connection.kafka.bootstrap_servers, names, partitions=LANES)


@pytest.mark.parametrize(
    ("made_anew", "warned"),
    [
        pytest.param(lambda topics: [topics.records], True, id="records"),
        pytest.param(lambda topics: topics.inputs, True, id="all inputs"),
        pytest.param(lambda topics: topics.all, False, id="all topics, so that nothing tells of the old ones"),
    ],
)
async def test_topics_made_anew_while_nobody_reads_are_read_from_their_beginning(
    stage: Stage, made_anew: Callable[[DestinationTopics], Sequence[str]], warned: bool
) -> None:
    config = stage.settings()
    writer = stage.writer(config)
    await _settled(stage, await _publish(stage, "old", 200))
    assert await writer.stop() == 0
    await _remake(stage, *made_anew(stage.topics))
    writer = stage.writer(config)
    await _settled(stage, await _publish(stage, "new", 250))
    assert len(writer.logged(RECORDS_MADE_ANEW)) == (LANES if warned else 0)
