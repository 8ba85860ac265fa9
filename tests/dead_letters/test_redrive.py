"""Redriven letters: those that were selected, once each, and no faster than allowed."""

import asyncio
import random
import sys
from collections import Counter

from sluice.client.connection import Connection
from sluice.dead_letters.redrive import Redrive, RedriveProgress
from sluice.dead_letters.selection import Selection
from tests.support.kafka_admin import remake_topics
from tests.support.letters import ALL, LETTERS, LOST, RULES, Letter, bury, keys_of, read_records, redrive


async def test_only_the_selection_is_redriven_and_only_once(connection: Connection) -> None:
    await bury(connection, [Letter("a"), Letter("b", LOST), Letter("c", partition=1), Letter("d", LOST, partition=1)])
    first = await redrive(connection, Selection(codes=("UNKNOWN_FIELD",)))
    again = await redrive(connection, Selection(codes=("UNKNOWN_FIELD",)))
    rest = await redrive(connection)
    assert (first.sent, again.sent, rest.sent) == (2, 0, 2)
    assert (first.already_redriven, again.already_redriven, rest.already_redriven) == (0, 2, 2)
    assert sorted(keys_of(await read_records(connection))) == ["a", "b", "c", "d"]


async def test_a_new_letter_of_a_redriven_record_is_another_one(connection: Connection) -> None:
    await bury(connection, [Letter("a")])
    await redrive(connection)
    await bury(connection, [Letter("a", redrives=1)])
    result = await redrive(connection)
    assert (result.sent, result.already_redriven) == (1, 1)


async def test_letters_of_a_topic_that_was_made_anew_are_redriven(connection: Connection) -> None:
    letters = [Letter(f"old-{number}") for number in range(10)]
    await bury(connection, letters)
    await redrive(connection)
    topics = connection.topics("crm")
    await remake_topics(connection.kafka.bootstrap_servers, [topics.dead_letters], partitions=3)
    await bury(connection, [Letter(f"new-{number}") for number in range(10)])
    result = await redrive(connection)
    assert (result.sent, result.already_redriven) == (10, 0)


async def test_rate_bounds_letters_per_second(connection: Connection) -> None:
    await bury(connection, [Letter(str(number)) for number in range(50)])
    loop = asyncio.get_running_loop()
    run = Redrive("crm", connection, ALL, RULES)
    seen = [(loop.time(), run.progress.sent) async for _ in run.run(rate=20)]
    assert [sent for _, sent in seen] == [20, 40, 50]
    assert seen[2][0] - seen[0][0] >= 1.5  # 2 s from its start, of which the first transaction takes a part


async def test_a_plan_counts_as_the_redrive_does_and_sends_nothing(connection: Connection) -> None:
    await bury(connection, [letter._replace(partition=0) for letter in LETTERS])
    run = Redrive("crm", connection, ALL, RULES)
    to_send = [planned.message async for plan in run.plan() for planned in plan.to_send]
    planned = run.progress
    assert (planned.selected, planned.sent, await read_records(connection)) == (5, len(to_send), [])
    assert planned == await redrive(connection)
    assert {record.value for record in await read_records(connection)} == {message.value for message in to_send}


async def test_nothing_selected_is_nothing_sent(connection: Connection) -> None:
    assert await redrive(connection, Selection(codes=("OTHER",))) == RedriveProgress()


async def test_killed_redrives_add_up_to_one(connection: Connection) -> None:
    letters = [
        Letter(f"k-{number:05}", partition=number % 2) if number % 3 else Letter("lost", LOST, partition=number % 2)
        for number in range(40_000)
    ]
    await bury(connection, letters)
    killed = 0
    for seed in range(6):
        killed += await _redrive_until_killed(connection, random.Random(seed))
    assert killed >= 4
    await redrive(connection, Selection(codes=("UNKNOWN_FIELD",)))
    counts = Counter(keys_of(await read_records(connection)))
    assert set(counts.values()) == {1}
    assert set(counts) == {letter.key for letter in letters if letter.key != "lost"}


async def _redrive_until_killed(connection: Connection, chance: random.Random) -> bool:
    """Kill a redrive in the middle of its second to fifth transaction; return whether it was still running."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.support.redrive_process"),
        *(connection.kafka.bootstrap_servers, connection.topic_prefix, "UNKNOWN_FIELD"),
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
