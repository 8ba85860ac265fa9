"""The bulk handler against a real Kafka and a writer without a vendor."""

import asyncio
from typing import Any

import pytest

from sluice.client.bulk import BulkTimeout, bulk
from sluice.client.bulk_result import BulkBatch
from sluice.client.connection import Connection
from sluice.client.publisher import Publisher
from sluice.events import decode_record
from sluice.records import InvalidRecord
from tests.support.fake_writer import RejectBadUntilRepaired, fake_writer, reject_bad
from tests.support.topics import read_all


async def _operations(connection: Connection) -> set[str]:
    records = await read_all(connection, connection.topics("crm").records)
    return {decode_record(record.value).operation for record in records}


@pytest.mark.parametrize(
    ("options", "operation"),
    [
        pytest.param({"create": True}, "upsert", id="create"),
        pytest.param({}, "update", id="only what exists"),
        pytest.param({"operation": "delete"}, "delete", id="named operation"),
    ],
)
async def test_create_chooses_the_operation(connection: Connection, options: dict[str, Any], operation: str) -> None:
    async with fake_writer(connection), bulk("crm", connection, object="o", **options) as handler:
        handler.write("a")
    assert await _operations(connection) == {operation}


async def test_number_as_key_becomes_a_text(connection: Connection) -> None:
    async with fake_writer(connection), bulk("crm", connection, object="o") as handler:
        handler.write(7)
    assert [item.input.key for item in handler.result.successful] == ["7"]


@pytest.mark.parametrize("is_coroutine", [False, True], ids=["function", "coroutine function"])
async def test_callback_sees_every_item_once(connection: Connection, is_coroutine: bool) -> None:
    batches: list[BulkBatch] = []

    async def append(batch: BulkBatch) -> None:
        await asyncio.sleep(0)
        batches.append(batch)

    callback = append if is_coroutine else batches.append
    async with fake_writer(connection, reject_bad), bulk("crm", connection, object="o", callback=callback) as handler:
        for number in range(50):
            handler.write(f"c-{number}", {"name": "bad" if number % 10 == 0 else "good"})

    assert sorted(item.index for batch in batches for item in batch.items) == list(range(50))
    assert sum(batch.counts.get("INVALID", 0) for batch in batches) == 5


@pytest.mark.parametrize("inside", [True, False], ids=["inside", "after the end"])
async def test_retry_publishes_the_failed_ones_again(connection: Connection, inside: bool) -> None:
    decide = RejectBadUntilRepaired()
    async with fake_writer(connection, decide):
        async with bulk("crm", connection, object="o") as handler:
            handler.write("a", {"name": "good"})
            handler.write("b", {"name": "bad"})
            assert len((await handler.flush()).failed) == 1
            if inside:
                decide.repaired = True
                await handler.retry()
        decide.repaired = True
        result = handler.result if inside else await handler.retry()

    assert [item.index for item in result.successful] == [0, 1]
    assert result.failed == []
    assert len(await read_all(connection, connection.topics("crm").records)) == 3


async def test_timeout_says_how_many_are_open_and_flush_goes_on(connection: Connection) -> None:
    async with bulk("crm", connection, object="o", timeout_s=0.3) as handler:
        handler.write("a")
        handler.write("b")
        with pytest.raises(BulkTimeout, match=r"2 of 2 records are open: no receipt came for 0.3 s") as caught:
            await handler.flush()
        assert caught.value.open == handler.result.open == 2
        async with fake_writer(connection):
            result = await _flush_until_settled(handler)
    assert result.open == 0


async def _flush_until_settled(handler: Any) -> Any:
    async with asyncio.timeout(30):
        while True:
            try:
                return await handler.flush()
            except BulkTimeout:
                continue


async def test_receipts_of_others_are_not_mistaken_for_ours(connection: Connection) -> None:
    async with fake_writer(connection), bulk("crm", connection, object="o", job_id="shared") as handler:
        async with Publisher("crm", connection) as publisher:
            await publisher.publish(object="o", operation="insert", data={}, job_id="shared")
        handler.write("a")
    assert len(handler.result.successful) == 1


async def test_too_large_record_fails_alone(connection: Connection) -> None:
    async with fake_writer(connection), bulk("crm", connection, object="o") as handler:
        handler.write("small")
        handler.write("large", {"text": "x" * 2_000_000})
    assert [(item.index, item.code) for item in handler.result.failed] == [(1, "too-large")]
    assert [item.index for item in handler.result.successful] == [0]


async def test_body_that_raises_publishes_nothing(connection: Connection) -> None:
    with pytest.raises(LookupError):
        await _write_and_raise(connection)
    assert await _operations(connection) == set()


async def _write_and_raise(connection: Connection) -> None:
    async with bulk("crm", connection, object="o") as handler:
        handler.write("a")
        raise LookupError


async def test_closed_handler_takes_nothing(connection: Connection) -> None:
    handler = bulk("crm", connection, object="o")
    with pytest.raises(ValueError, match="not open; use it inside"):
        handler.write("a")
    async with handler:
        pass
    with pytest.raises(ValueError, match="not open; use it inside"):
        await handler.flush()


@pytest.mark.parametrize(
    ("key", "data", "error", "sentence"),
    [
        pytest.param(7.5, {}, TypeError, "expected the key to be a text, .* got float", id="fraction as key"),
        pytest.param(True, {}, TypeError, "expected the key to be a text, .* got bool", id="true as key"),
        pytest.param("a", [1], TypeError, "expected data to be a mapping .* got list", id="list as data"),
        pytest.param("", {}, InvalidRecord, "expected the key", id="empty key"),
        pytest.param("a", {"x": object()}, InvalidRecord, "can be written as JSON", id="object in data"),
    ],
)
async def test_wrong_input_is_refused_at_once(
    connection: Connection, key: Any, data: Any, error: type[Exception], sentence: str
) -> None:
    async with bulk("crm", connection, object="o") as handler:
        with pytest.raises(error, match=sentence):
            handler.write(key, data)


def test_create_and_another_operation_contradict_each_other() -> None:
    with pytest.raises(ValueError, match="create=True means upsert"):
        bulk("crm", object="o", create=True, operation="delete")
