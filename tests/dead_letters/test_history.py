"""The history of a letter: its payload, the other receipts of its record, and nothing that belongs to another."""

import pytest
from aiokafka import AIOKafkaProducer

from sluice.client.connection import Connection
from sluice.dead_letters.history import History, NoSuchLetter, history_of, letter_at, letter_of_event
from sluice.dead_letters.selection import open_dead_letters
from sluice.kafka.sending import Message
from tests.support.letters import Letter, bury, deliver, redrive


async def _history(connection: Connection, offset: int) -> History:
    async with open_dead_letters("crm", connection) as dead_letters:
        return await history_of(dead_letters, await letter_at(dead_letters, 0, offset))


def _offsets(history: History) -> list[int]:
    return [letter.place.offset for letter in history.dead_letters_of_record]


async def test_history_has_every_receipt_of_the_record_and_no_other(connection: Connection) -> None:
    one, other = Letter("a"), Letter("b", source_offset=8)
    await bury(connection, [one, other])
    await redrive(connection)
    await bury(connection, [one._replace(redrives=1)])
    await redrive(connection)
    await deliver(connection, one)
    first, second = await _history(connection, 0), await _history(connection, 1)
    assert (first.was_redriven, _offsets(first)) == (True, [0, 2])
    assert first.succeeded is not None
    assert (second.was_redriven, _offsets(second), second.succeeded, second.searched) == (True, [1], None, 1)


async def test_a_letter_that_was_not_redriven_is_its_own_history(connection: Connection) -> None:
    gone = f"{connection.topics('crm').records}/0/1"
    await bury(connection, [Letter("a"), Letter("b", payload_at=gone)])
    first, second = await _history(connection, 0), await _history(connection, 1)
    assert (first.was_redriven, _offsets(first), first.searched) == (False, [0], 0)
    assert second.original.value is None
    assert "retention has taken it" in second.original_problem


async def test_history_shows_what_was_cut_from_its_letter(connection: Connection) -> None:
    records = connection.topics("crm").records
    async with AIOKafkaProducer(bootstrap_servers=connection.kafka.bootstrap_servers) as producer:
        await producer.send_and_wait(records, b"{}", b"k", 0, headers=[("app", b"1")])
    await bury(connection, [Letter(cut="headers,payload,key", original_at=f"{records}/0/0")])
    history = await _history(connection, 0)
    assert (history.letter.cut, history.letter.value) == (("headers", "payload", "key"), None)
    assert history.original == Message(b"k", b"{}", [("app", b"1")])


async def test_an_event_names_its_newest_letter(connection: Connection) -> None:
    await bury(connection, [Letter("a"), Letter("b"), Letter("a")])
    async with open_dead_letters("crm", connection) as dead_letters:
        assert (await letter_of_event(dead_letters, "e-a")).offset == 2
        with pytest.raises(NoSuchLetter, match="no dead letter of the event 'e-c'"):
            await letter_of_event(dead_letters, "e-c")
