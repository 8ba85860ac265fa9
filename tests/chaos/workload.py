"""The records that a round publishes, each with what should become of it in a header."""

import asyncio
import random
from collections.abc import Iterator, Sequence
from typing import Any

from aiokafka import AIOKafkaProducer

from sluice.events import Headers, Key, Operation
from sluice.kafka.topic_admin import admin_client, create_topics
from tests.chaos.audit import Expected
from tests.support.stage import Message, Stage, record
from tests.support.topics import partitions_of
from tests.support.writer_process import DESTINATION

EXPECTED = "chaos.expected"
"""The header that tells the audit."""
MAKES, PARTS = "chaos.makes", "chaos.parts"
"""Headers with the name of what a record makes, and with the parts that it must have, separated by blanks."""
HOT_KEYS, COLD_KEYS = 5, 400
HOT_SHARE = 0.12
"""One item of a key is in flight at a time, so hot keys set how long a round takes."""
TOO_LARGE_BYTES = 30_000
"""More than the round's windows take."""
CHUNK = 40
BOMBS, BOMB_BYTES = 8, 5_000_000
"""Records whose headers are so large."""
REJECTED_CODE = "UNKNOWN_GROUP_TYPE"
"""What the vendor says of the records that it should reject."""


def messages(rng: random.Random, count: int) -> Iterator[Message]:
    """Yield mostly good records, some that may not be repeated, some bad, and some that are no records."""
    for number in range(count):
        key = f"hot-{rng.randrange(HOT_KEYS)}" if rng.random() < HOT_SHARE else f"cold-{rng.randrange(COLD_KEYS)}"
        dice = rng.random()
        if dice < 0.55:
            yield _expect("good", key, "upsert", {"n": number})
        elif dice < 0.65:
            yield _expect("good", key, "delete", {})
        elif dice < 0.70:
            yield _expect("good", {"email": f"{key}@example.com"}, "upsert", {"n": number}, object_="profile")
        elif dice < 0.85:
            yield _expect("increment", f"sum-{key}", "upsert", {"visits": {"increment": 1}}, object_="group/airport")
        elif dice < 0.90:
            yield _expect("increment", {"email": f"sum-{key}@example.com"}, "upsert", _ADDS, object_="profile")
        elif dice < 0.95:
            yield _expect("rejected", f"bad-{key}", "upsert", {"n": number}, object_="group/nowhere")
        else:
            yield rng.choice(_POISON)(key)


_ADDS = {"visits": {"increment": 1}}


def _expect(
    expected: Expected, key: Key, operation: Operation, data: dict[str, Any], *, object_: str = "group/company"
) -> Message:
    return record(key, object=object_, operation=operation, **data)._replace(headers=_header(expected))


def _header(expected: Expected) -> Headers:
    return [(EXPECTED, expected.encode())]


_POISON = (
    lambda key: Message(key.encode(), b"\xff no record", _header("poison")),
    lambda key: Message(key.encode(), None, _header("poison")),
    lambda key: _expect("poison", key, "upsert", {"text": "x" * TOO_LARGE_BYTES}),
    lambda key: _expect("poison", key, "upsert", {"n": 1}, object_="cow"),
    lambda key: _unreadable({"profileId": key, "id": "o"}),
)


def _unreadable(key: Key) -> Message:
    """JSON with a number that the vendor cannot read: it refuses the whole request."""
    message = _expect("poison", key, "upsert", {"amount": 17}, object_="timeline/order")
    return message._replace(value=(message.value or b"").replace(b":17}", b":1e999}"))


async def publish(stage: Stage, _: random.Random, everything: Sequence[Message], over_s: float) -> None:
    """Publish ``everything`` in chunks, over about so many seconds."""
    servers = stage.connection.kafka.bootstrap_servers
    async with AIOKafkaProducer(bootstrap_servers=servers, enable_idempotence=True) as producer:
        for chunk in _chunks(everything):
            await _send(producer, stage, chunk, over_s * CHUNK / len(everything))


async def publish_in_transactions(
    stage: Stage, rng: random.Random, everything: Sequence[Message], over_s: float
) -> None:
    """Do the same with each chunk in a transaction. Every third is aborted: no record of it may be delivered."""
    servers = stage.connection.kafka.bootstrap_servers
    transactional_id = f"{stage.connection.topic_prefix}upstream-{rng.random()}"
    async with AIOKafkaProducer(bootstrap_servers=servers, transactional_id=transactional_id) as producer:
        for chunk in _chunks(everything):
            await producer.begin_transaction()
            await _send(producer, stage, chunk, over_s * CHUNK / len(everything))
            if rng.random() < 1 / 3:
                await producer.abort_transaction()
            else:
                await producer.commit_transaction()


async def publish_with_bombs(stage: Stage, rng: random.Random, everything: Sequence[Message], over_s: float) -> None:
    """Do the same, and publish among them records with megabytes of headers, a hundredth of that on the wire."""
    servers = stage.connection.kafka.bootstrap_servers
    bombs = [_expect("good", f"bomb-{number}", "upsert", {"n": number}) for number in range(BOMBS)]
    async with AIOKafkaProducer(
        bootstrap_servers=servers, compression_type="zstd", max_request_size=2 * BOMB_BYTES
    ) as producer:

        async def publish_bombs() -> None:
            for bomb in bombs:
                heavy = bomb._replace(headers=[*bomb.headers, ("app", bytes(BOMB_BYTES))])
                await _send(producer, stage, [heavy], over_s / BOMBS)

        await asyncio.gather(publish_bombs(), publish(stage, rng, everything, over_s))


async def publish_to_topics_made_anew(
    stage: Stage, rng: random.Random, everything: Sequence[Message], over_s: float
) -> None:
    """Publish and settle some records, make all topics anew under the writers, and begin with an empty ledger."""
    await stage.settled(await stage.publish(everything[: len(everything) // 4]))
    async with admin_client(stage.connection.kafka) as admin:
        lanes = len(await partitions_of(admin, stage.topics.records))
        await admin.delete_topics(list(stage.topics.all))
        await asyncio.sleep(rng.uniform(1, 3))
        await create_topics(admin, DESTINATION, stage.connection.topic_prefix, partitions=lanes)
    stage.app.vendor.ledger.reset()
    await publish(stage, rng, everything, over_s)


def _chunks(everything: Sequence[Message]) -> list[Sequence[Message]]:
    return [everything[start : start + CHUNK] for start in range(0, len(everything), CHUNK)]


async def _send(producer: AIOKafkaProducer, stage: Stage, chunk: Sequence[Message], pause_s: float) -> None:
    futures = [await producer.send(stage.topics.records, one.value, one.key, headers=one.headers) for one in chunk]
    await asyncio.gather(*futures)
    await asyncio.sleep(pause_s)
