"""Redriven records go to the lane that they came from, in order, from one redrive at a time."""

import pytest

from sluice.client.connection import Connection
from sluice.dead_letters.redrive import Redrive, RedriveTakenOver
from tests.support.letters import ALL, RULES, Letter, bury, keys_of, read_records, redrive


async def test_redriven_record_is_the_original_in_its_lane(connection: Connection) -> None:
    letter = Letter("c-1", partition=1, data={"name": "Acme", "share": 1.10})
    await bury(connection, [letter])
    result = await redrive(connection)
    [record] = await read_records(connection)
    original = letter.message("")
    assert (result.sent, record.partition) == (1, 1)
    assert (record.key, record.value) == (original.key, original.value)


async def test_order_of_a_lane_is_kept(connection: Connection) -> None:
    await bury(connection, [Letter(f"{number:04}", partition=number % 2) for number in range(2500)])
    await redrive(connection)
    records = await read_records(connection)
    for lane in (0, 1):
        keys = keys_of([record for record in records if record.partition == lane])
        assert keys == sorted(keys)
        assert len(keys) == 1250


async def test_another_redrive_takes_over(connection: Connection) -> None:
    await bury(connection, [Letter(str(number)) for number in range(40)])
    slow = Redrive("crm", connection, ALL, RULES)
    transactions = slow.run(rate=10)
    await anext(transactions)
    fast = await redrive(connection)
    with pytest.raises(RedriveTakenOver, match="10 letters were redriven"):
        await anext(transactions)
    assert (slow.progress.sent, fast.sent, fast.already_redriven) == (10, 30, 10)
    assert len(await read_records(connection)) == 40
