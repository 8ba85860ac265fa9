"""A consumer that unpacks a bounded number of bytes at a time.

aiokafka bounds a poll by its records alone, and headers and values that compress well take a hundred times the memory
of what was fetched: 4,000 records with 100 kB each are 400 MB. Rejected: to poll for few records at a time, fewer when
they are large. The next ones can always be larger.

Written against aiokafka 0.14.0: the loop of ``FetchResult.getall``, with a second bound.
"""

# aiokafka has no types:
# mypy: allow-subclassing-any

from contextlib import suppress
from typing import Any

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from aiokafka.consumer.fetcher import Fetcher, FetchResult
from aiokafka.errors import KafkaError

from sluice.events import KafkaRecord

MAX_POLL_BYTES = 4 * 1024 * 1024
"""What one poll unpacks, and the record that exceeds it. Kafka's batches are unpacked one by one, each as a whole."""
MAX_FETCHED_BYTES = 32 * 1024 * 1024
"""What a consumer holds as it was fetched, of all its partitions together, except where one message is larger."""
_PARTITION_FETCH_BYTES = 1024 * 1024
"""Of one partition: aiokafka's default, and the size of Kafka's largest batch unless brokers are told otherwise."""
HEADER_BYTES = 150
"""A header's memory beyond its bytes: a tuple, a string and a bytes object. Measured with Python 3.11."""


def unpacked_bytes(message: KafkaRecord) -> int:
    """Return the memory of what ``message`` carries: key, value and headers."""
    size_bytes = len(message.value or b"") + len(message.key or b"")
    for name, value in message.headers:
        size_bytes += HEADER_BYTES + len(name) + len(value or b"")
    return size_bytes


def fetch_bounds(partitions: int) -> dict[str, int]:
    """Return aiokafka's options for a consumer that may have to read so many ``partitions``."""
    return {
        "fetch_max_bytes": MAX_FETCHED_BYTES // 2,
        "max_partition_fetch_bytes": min(_PARTITION_FETCH_BYTES, MAX_FETCHED_BYTES // partitions),
    }


class BoundedConsumer(AIOKafkaConsumer):
    """A consumer of which ``getmany`` returns at most ``MAX_POLL_BYTES``, and one record if that alone is larger."""

    async def getmany(
        self, *partitions: TopicPartition, timeout_ms: int = 0, max_records: int | None = None
    ) -> dict[TopicPartition, list[ConsumerRecord]]:
        """Return what has been fetched, as aiokafka does. ``UnicodeDecodeError`` and ``KafkaError`` are its own, too.

        aiokafka waits, and raises what there is to raise, for the first record. The others need no wait.
        """
        polled: dict[TopicPartition, list[ConsumerRecord]]
        polled = await super().getmany(*partitions, timeout_ms=timeout_ms, max_records=1)
        if not polled:
            return polled
        left_bytes = MAX_POLL_BYTES - sum(unpacked_bytes(one) for messages in polled.values() for one in messages)
        left_records = None if max_records is None else max_records - 1
        fetcher: Fetcher = self._fetcher
        for partition in [one for one in fetcher._records if not partitions or one in partitions]:
            if left_bytes <= 0 or left_records == 0:
                break
            result = fetcher._records[partition]
            if type(result) is not FetchResult:  # an error, which the next poll raises
                continue
            messages, size_bytes = _unpack(partition, result, left_records, left_bytes)
            if messages:
                polled.setdefault(partition, []).extend(messages)
                left_bytes -= size_bytes
                left_records = None if left_records is None else left_records - len(messages)
            if not result.has_more():
                del fetcher._records[partition]
                fetcher._notify(fetcher._wait_consume_future)
        return polled

    def drop_fetched(self) -> None:
        """Forget what was fetched and not handed out: the caller goes on elsewhere.

        aiokafka's ``PartitionRecords`` and its iterator refer to each other, and so would hold megabytes until the
        garbage collector runs.
        """
        for result in self._fetcher._records.values():
            records = getattr(result, "_partition_records", None)
            if records is not None:
                records._records_iterator = None
        self._fetcher._records.clear()
        self._fetcher._notify(self._fetcher._wait_consume_future)


def _unpack(
    partition: TopicPartition, result: Any, max_records: int | None, max_bytes: int
) -> tuple[list[ConsumerRecord], int]:
    """Return the next records of ``result``, and their bytes."""
    messages: list[ConsumerRecord] = []
    size_bytes = 0
    if not result.check_assignment(partition) or not result.has_more():
        return messages, size_bytes
    # What cannot be read is read again by the next poll, as its first record, and raised then.
    with suppress(UnicodeDecodeError, KafkaError):
        for message in result._partition_records:
            messages.append(message)
            size_bytes += message.serialized_value_size + message.serialized_key_size  # -1 for none
            for name, value in message.headers:
                size_bytes += HEADER_BYTES + len(name) + len(value or b"")
            if size_bytes >= max_bytes or len(messages) == max_records:
                result._update_position()
                return messages, size_bytes
    result._update_position()
    result._partition_records = None
    return messages, size_bytes
