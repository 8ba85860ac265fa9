"""Redriven letters: once each, to their lane, edited, with their lineage."""

import asyncio
import random
import sys
from collections import Counter
from collections.abc import Sequence

import msgspec
import pytest
from aiokafka import AIOKafkaProducer, ConsumerRecord

from sluice.client.connection import Connection
from sluice.dead_letters.editing import MapFailed, edit_fields, map_lines, parse_path, parse_set
from sluice.dead_letters.redrive import RedriveResult, RedriveTakenOver, redrive
from sluice.dead_letters.selection import Selection
from sluice.events import decode_record
from tests.support.kafka_admin import RunningKafka
from tests.support.letters import LOST, TRACEPARENT, Letter, bury, letter_topics
from tests.support.topics import read_all

ALL = Selection()


async def _records(connection: Connection) -> list[ConsumerRecord]:
    return await read_all(connection, connection.topics("crm").records)


def _keys(records: Sequence[ConsumerRecord]) -> list[str]:
    return [record.key.decode() for record in records]


async def test_redriven_record_is_the_original_in_its_lane(kafka: RunningKafka, prefix: str) -> None:
    connection = await letter_topics(kafka, prefix)
    letter = Letter("c-1", partition=1, data={"name": "Acme", "share": 1.10})
    await bury(connection, [letter])
    result = await redrive(connection, "crm", ALL)
    [record] = await _records(connection)
    original = letter.message("")
    assert (result.sent, record.partition) == (1, 1)
    assert (record.key, record.value) == (original.key, original.value)


async def test_lineage_is_kept_and_the_old_life_is_not(kafka: RunningKafka, prefix: str) -> None:
    connection = await letter_topics(kafka, prefix)
    await bury(connection, [Letter(partition=1, redrives=1, source_offset=42)])
    await redrive(connection, "crm", ALL)
    [record] = await _records(connection)
    assert list(record.headers) == [
        TRACEPARENT,
        ("app", b"\xff"),
        ("sluice.source.topic", connection.topics("crm").records.encode()),
        ("sluice.source.partition", b"1"),
        ("sluice.source.offset", b"42"),
        ("sluice.redrive-count", b"2"),
    ]


async def test_only_the_selection_is_redriven_and_only_once(kafka: RunningKafka, prefix: str) -> None:
    connection = await letter_topics(kafka, prefix)
    await bury(connection, [Letter("a"), Letter("b", LOST), Letter("c", partition=1), Letter("d", LOST, partition=1)])
    first = await redrive(connection, "crm", Selection(codes=("UNKNOWN_FIELD",)))
    again = await redrive(connection, "crm", Selection(codes=("UNKNOWN_FIELD",)))
    rest = await redrive(connection, "crm", ALL)
    assert (first.sent, again.sent, rest.sent) == (2, 0, 2)
    assert (first.already, again.already, rest.already) == (0, 2, 2)
    assert sorted(_keys(await _records(connection))) == ["a", "b", "c", "d"]


async def test_a_new_letter_of_a_redriven_record_is_another_one(kafka: RunningKafka, prefix: str) -> None:
    connection = await letter_topics(kafka, prefix)
    await bury(connection, [Letter("a")])
    await redrive(connection, "crm", ALL)
    await bury(connection, [Letter("a", redrives=1)])
    result = await redrive(connection, "crm", ALL)
    assert (result.sent, result.already) == (1, 1)


async def test_order_of_a_lane_is_kept(kafka: RunningKafka, prefix: str) -> None:
    connection = await letter_topics(kafka, prefix)
    await bury(connection, [Letter(f"{number:04}", partition=number % 2) for number in range(2500)])
    await redrive(connection, "crm", ALL)
    records = await _records(connection)
    for lane in (0, 1):
        keys = _keys([record for record in records if record.partition == lane])
        assert keys == sorted(keys)
        assert len(keys) == 1250


async def test_letters_redriven_too_often_are_left(kafka: RunningKafka, prefix: str) -> None:
    connection = await letter_topics(kafka, prefix)
    await bury(connection, [Letter("a", redrives=2), Letter("b", redrives=3), Letter("c", redrives=4)])
    result = await redrive(connection, "crm", ALL, max_redrives=3)
    assert (result.sent, result.too_often) == (1, 2)
    assert _keys(await _records(connection)) == ["a"]


async def test_edit_changes_what_is_sent(kafka: RunningKafka, prefix: str) -> None:
    connection = await letter_topics(kafka, prefix)
    await bury(connection, [Letter(data={"nmae": "Acme", "n": 1})])
    edit = edit_fields(sets=[parse_set("name=Acme")], drops=[parse_path("nmae")])
    await redrive(connection, "crm", ALL, edit=edit)
    [record] = await _records(connection)
    assert msgspec.json.decode(decode_record(record.value).data) == {"n": 1, "name": "Acme"}


async def test_what_an_edit_breaks_is_refused_and_the_rest_goes(kafka: RunningKafka, prefix: str) -> None:
    connection = await letter_topics(kafka, prefix)
    await bury(connection, [Letter("a"), Letter("b"), Letter("c")])
    edit = map_lines("""sed -e '2s/"upsert"/"upset"/' -e '3s/.*/null/'""")
    result = await redrive(connection, "crm", ALL, edit=edit)
    [refusal] = result.refusals
    assert (result.sent, result.refused, result.left_alone) == (1, 1, 1)
    assert str(refusal).startswith("0/1: expected a RecordEvent as JSON")
    assert _keys(await _records(connection)) == ["a"]
    assert (await redrive(connection, "crm", ALL)).sent == 2


async def test_command_that_fails_sends_nothing(kafka: RunningKafka, prefix: str) -> None:
    connection = await letter_topics(kafka, prefix)
    await bury(connection, [Letter("a"), Letter("b")])
    with pytest.raises(MapFailed, match="expected 2 lines"):
        await redrive(connection, "crm", ALL, edit=map_lines("head -n 1"))
    with pytest.raises(MapFailed, match="exit code 3: no luck"):
        await redrive(connection, "crm", ALL, edit=map_lines("echo no luck >&2; exit 3"))
    assert await _records(connection) == []


async def test_poison_is_sent_by_force_only_and_untouched(kafka: RunningKafka, prefix: str) -> None:
    connection = await letter_topics(kafka, prefix)
    await bury(connection, [Letter(value=b"\x00\xff"), Letter("null", payload_at="nowhere")])
    result = await redrive(connection, "crm", Selection(keys=("c-1",)))
    assert (result.sent, result.refused) == (0, 1)
    assert "--force" in result.refusals[0].reason
    assert (await redrive(connection, "crm", Selection(keys=("c-1",)), force=True)).sent == 1
    assert [record.value for record in await _records(connection)] == [b"\x00\xff"]


async def test_payload_that_stands_elsewhere_is_fetched(kafka: RunningKafka, prefix: str) -> None:
    connection = await letter_topics(kafka, prefix)
    records = connection.topics("crm").records
    payload = Letter(data={"text": "x" * 200_000}).message(records).value
    async with AIOKafkaProducer(bootstrap_servers=kafka.bootstrap_servers) as producer:
        place = await producer.send_and_wait(records, payload, b"c-1", 0)
    await bury(connection, [Letter("a", payload_at=f"{records}/0/{place.offset}")])
    await bury(connection, [Letter("b", payload_at=f"{records}/0/99"), Letter("c", payload_at="records")])
    result = await redrive(connection, "crm", ALL)
    assert [record.value for record in await _records(connection)] == [payload, payload]
    assert [refusal.reason.split(";")[0] for refusal in result.refusals] == [
        f"its payload stood at {records}/0/99, and retention has taken it",
        "expected topic/partition/offset in sluice.payload-at, got 'records'",
    ]


async def test_record_that_became_too_large_is_refused(kafka: RunningKafka, prefix: str) -> None:
    connection = await letter_topics(kafka, prefix)
    await bury(connection, [Letter("a"), Letter("b", value=b"")])
    noise = random.Random(4).randbytes(800_000).hex()
    result = await redrive(connection, "crm", ALL, edit=edit_fields(sets=[parse_set(f"noise={noise}")]))
    assert (result.sent, result.refused) == (0, 2)
    assert "max.message.bytes" in result.refusals[0].reason
    compressible = edit_fields(sets=[parse_set(f"noise={'x' * 1_600_000}")])
    assert (await redrive(connection, "crm", ALL, edit=compressible)).sent == 1


async def test_rate_bounds_letters_per_second(kafka: RunningKafka, prefix: str) -> None:
    connection = await letter_topics(kafka, prefix)
    await bury(connection, [Letter(str(number)) for number in range(30)])
    loop = asyncio.get_running_loop()
    seen: list[tuple[float, int]] = []
    await redrive(connection, "crm", ALL, rate=20, on_sent=lambda result: seen.append((loop.time(), result.sent)))
    assert [sent for _, sent in seen] == [20, 30]
    assert seen[1][0] - seen[0][0] >= 0.9


async def test_another_redrive_takes_over(kafka: RunningKafka, prefix: str) -> None:
    connection = await letter_topics(kafka, prefix)
    await bury(connection, [Letter(str(number)) for number in range(40)])
    begun = asyncio.Event()
    slow = asyncio.create_task(redrive(connection, "crm", ALL, rate=10, on_sent=lambda _: begun.set()))
    await begun.wait()
    fast = await redrive(connection, "crm", ALL)
    with pytest.raises(RedriveTakenOver, match="10 letters were redriven"):
        await slow
    assert (fast.sent, fast.already) == (30, 10)
    assert len(await _records(connection)) == 40


async def test_nothing_selected_is_nothing_sent(kafka: RunningKafka, prefix: str) -> None:
    connection = await letter_topics(kafka, prefix)
    assert await redrive(connection, "crm", Selection(codes=("OTHER",))) == RedriveResult()


async def test_killed_redrives_add_up_to_one(kafka: RunningKafka, prefix: str) -> None:
    connection = await letter_topics(kafka, prefix)
    letters = [
        Letter(f"k-{number:05}", partition=number % 2) if number % 3 else Letter("lost", LOST, partition=number % 2)
        for number in range(40_000)
    ]
    await bury(connection, letters)
    killed = 0
    for seed in range(6):
        killed += await _redrive_until_killed(kafka, prefix, random.Random(seed))
    assert killed >= 4
    await redrive(connection, "crm", Selection(codes=("UNKNOWN_FIELD",)))
    counts = Counter(_keys(await _records(connection)))
    assert set(counts.values()) == {1}
    assert set(counts) == {letter.key for letter in letters if letter.key != "lost"}


async def _redrive_until_killed(kafka: RunningKafka, prefix: str, chance: random.Random) -> bool:
    """Kill it after some of its transactions, in the middle of the next; whether it had not ended before."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.support.redrive_process", kafka.bootstrap_servers, prefix, "UNKNOWN_FIELD"),
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdout
    for _ in range(chance.randrange(1, 5)):
        await process.stdout.readline()
    try:
        async with asyncio.timeout(chance.random() * 0.03):
            await process.wait()
    except TimeoutError:
        process.kill()
    return await process.wait() != 0
