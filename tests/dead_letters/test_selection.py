"""Dead letters are selected by what is known of them."""

from datetime import UTC, datetime, timedelta

import pytest

from sluice.client.connection import Connection
from sluice.dead_letters.selection import DeadLetters, Selection, open_dead_letters
from tests.support.letters import LETTERS, Letter, bury


async def _keys(dead_letters: DeadLetters, selection: Selection) -> list[str]:
    return [letter.key.decode() async for selected in dead_letters.read(selection) for letter in selected.letters]


@pytest.mark.parametrize(
    ("selection", "keys"),
    [
        pytest.param(Selection(), "a b c d poison", id="everything"),
        pytest.param(Selection(codes=("UNKNOWN_FIELD",)), "a c d", id="code"),
        pytest.param(Selection(codes=("lost-answer", "not-a-record-event")), "b poison", id="one of two codes"),
        pytest.param(Selection(classes=("ambiguous",)), "b", id="class"),
        pytest.param(Selection(batches=("b-2",)), "b", id="batch"),
        pytest.param(Selection(objects=("profile",)), "c d", id="object"),
        pytest.param(Selection(keys=("a", "poison")), "a poison", id="key, also of what is no event"),
        pytest.param(Selection(jobs=("night",)), "d", id="job"),
        pytest.param(Selection(codes=("UNKNOWN_FIELD",), objects=("profile",), keys=("c",)), "c", id="all of them"),
        pytest.param(Selection(since=datetime.now(UTC) - timedelta(minutes=5)), "a b c d poison", id="since"),
        pytest.param(Selection(since=datetime.now(UTC) + timedelta(days=1)), "", id="since tomorrow"),
        pytest.param(Selection(until=datetime.now(UTC) - timedelta(days=1)), "", id="until yesterday"),
    ],
)
async def test_selection_reads_what_it_names(connection: Connection, selection: Selection, keys: str) -> None:
    await bury(connection, LETTERS)
    async with open_dead_letters("crm", connection) as dead_letters:
        assert sorted(await _keys(dead_letters, selection)) == keys.split()


async def test_letters_of_a_partition_come_in_their_order(connection: Connection) -> None:
    await bury(connection, [Letter(str(number), partition=number % 2) for number in range(200)])
    async with open_dead_letters("crm", connection) as dead_letters:
        keys = [int(key) for key in await _keys(dead_letters, Selection())]
    for parity in (0, 1):
        assert [key for key in keys if key % 2 == parity] == list(range(parity, 200, 2))
