"""TopicWatch: what is wrong with the topics is said once, and a change is seen within seconds."""

import asyncio
from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

import pytest
from aiokafka.errors import NodeNotReadyError

from sluice.kafka.settings import KafkaSettings
from sluice.kafka.topic_admin import TopicsError
from sluice.kafka.topic_rights import Right
from sluice.topics import topics_of
from sluice.writer.topic_watch import LOOK_AGAIN_S, LOOK_EVERY_S, TopicWatch
from tests.support.instant_clock import duration_s, in_background, instantly, now_s, turn

TOPICS = topics_of("crm")
ALL = sum(1 << right for right in Right)


class Kafka:
    """A Kafka of one broker, as an admin client is used here. ``changes`` happen at their instants."""

    def __init__(self) -> None:
        self._client = self.cluster = self
        self.nodeId = 0
        self.partitions = dict.fromkeys(TOPICS.all, 3)
        self.ids = {topic: f"id of {topic}" for topic in TOPICS.all}
        self.rights = dict.fromkeys(TOPICS.all, ALL)
        self.failures = 0

    def brokers(self) -> "Sequence[Kafka]":
        return [self]

    async def send(self, node_id: int, request: object) -> Any:
        if self.failures:
            self.failures -= 1
            raise NodeNotReadyError
        return SimpleNamespace(
            topics=[
                (0, topic, self.ids[topic], False, [(0, 0, 0, 0, [1], [1], [], {})] * count, self.rights[topic], {})
                for topic, count in self.partitions.items()
            ]
        )


def _watch() -> TopicWatch:
    return TopicWatch("crm", TOPICS, KafkaSettings(bootstrap_servers="k:9092"))


def _break(kafka: Kafka, damage: str) -> None:
    if damage == "missing":
        kafka.partitions[TOPICS.batches] = 0
    elif damage == "unequal":
        kafka.partitions[TOPICS.records] = 4
    elif damage == "made anew":
        kafka.ids[TOPICS.retries[0].name] = "another"
    elif damage == "more partitions":
        kafka.partitions = dict.fromkeys(TOPICS.all, 4)
    else:
        kafka.rights[TOPICS.succeeded] = 1 << Right.DESCRIBE


@pytest.mark.parametrize("damage", ["missing", "unequal"])
@instantly
async def test_topics_that_were_never_usable_are_an_error(damage: str) -> None:
    kafka = Kafka()
    _break(kafka, damage)
    with pytest.raises(TopicsError):
        await _watch().usable(kafka, asyncio.Event())


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        pytest.param(
            "missing", "Kafka has no topic crm.batches; make it with `sluice topics create crm`", id="missing"
        ),
        pytest.param("unequal", "crm.records has 4, crm.retries.30s has 3", id="unequal"),
        pytest.param("right", "does not let this client WRITE crm.succeeded", id="a right that was taken away"),
    ],
)
@instantly
async def test_topics_that_were_usable_are_waited_for(damage: str, said: str, caplog: pytest.LogCaptureFixture) -> None:
    kafka, watch = Kafka(), _watch()
    await watch.usable(kafka, asyncio.Event())
    _break(kafka, damage)
    waiting = asyncio.create_task(watch.usable(kafka, asyncio.Event()))
    await asyncio.sleep(3600)
    assert watch.obstacle is not None
    assert said in watch.obstacle
    assert [record.levelname for record in caplog.records if record.name.startswith("sluice")] == ["ERROR"]
    kafka.__init__()  # type: ignore[misc]  # mended
    assert await duration_s(waiting) <= LOOK_AGAIN_S
    assert watch.obstacle is None


@instantly
async def test_a_missing_right_is_waited_for_from_the_start() -> None:
    kafka, watch, stop_asked = Kafka(), _watch(), asyncio.Event()
    _break(kafka, "right")
    waiting = asyncio.create_task(watch.usable(kafka, stop_asked))
    await asyncio.sleep(60)
    assert not waiting.done()
    stop_asked.set()
    await waiting


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        pytest.param("missing", "the topic crm.batches is gone", id="gone"),
        pytest.param("unequal", "the topic crm.records has 4 partitions, and had 3", id="more partitions in one"),
        pytest.param("more partitions", "has 4 partitions, and had 3", id="more partitions in all"),
        pytest.param("made anew", "crm.retries.30s was made anew: its id is another", id="made anew"),
        pytest.param("right", "WRITE crm.succeeded", id="a right taken away"),
    ],
)
@instantly
async def test_a_change_is_seen_within_seconds(damage: str, said: str) -> None:
    kafka, watch = Kafka(), _watch()
    known = await watch.usable(kafka, asyncio.Event())
    changed = asyncio.create_task(watch.changed(kafka, known))
    await asyncio.sleep(10 * LOOK_EVERY_S)
    assert not changed.done()
    kafka.failures = 1
    _break(kafka, damage)
    changed_at_s = now_s()
    assert said in await changed
    assert now_s() - changed_at_s <= 2 * LOOK_EVERY_S + LOOK_AGAIN_S


@instantly
async def test_a_broker_that_is_late_to_know_is_no_change() -> None:
    kafka, watch = Kafka(), _watch()
    known = await watch.usable(kafka, asyncio.Event())
    async with in_background(_never(watch, kafka, known)):
        for _ in range(5):
            await asyncio.sleep(LOOK_EVERY_S - 0.1)
            kafka.partitions[TOPICS.batches] = 0
            await asyncio.sleep(0.2)
            kafka.partitions[TOPICS.batches] = 3
            await asyncio.sleep(LOOK_AGAIN_S)
            await turn()


async def _never(watch: TopicWatch, kafka: Kafka, known: Any) -> None:
    raise AssertionError(await watch.changed(kafka, known))
