"""Which dead letters were redriven: remembered in the control topic, in the transaction that redrives them.

One compacted entry stands for a block of ``BLOCK`` offsets of one partition: a million letters are 250 entries, and
compaction keeps the last state of each. Rejected: committed offsets (a selection leaves gaps, their metadata holds
4 KiB, and Kafka forgets a group's offsets after a week, dead letters only after a month), and looking for the redriven
record in the records topic (its retention is shorter than that of dead letters, and reading it costs the backlog).
Entries outlive their letters. They name the topic's id, because one that is made anew has other letters.
"""

from collections.abc import Iterable, Sequence

import msgspec
from aiokafka import ConsumerRecord

from sluice.events import RedrivenEvent
from sluice.kafka.sending import Message
from sluice.kafka.topic_admin import TopicsError
from sluice.kafka.topic_reader import TopicReader
from sluice.topics import DestinationTopics

BLOCK = 4096
"""Offsets of one entry."""
KEY = b"redriven/"
"""Begins the message keys of these entries; the flood guard's have another."""


class RedrivenOffsets:
    """The letters of one destination that were redriven."""

    def __init__(self, topic_id: str) -> None:
        """``topic_id`` is that of the dead-letters topic as it is now."""
        self._topic_id = topic_id
        self._blocks: dict[tuple[int, int], int] = {}
        """Bits by partition and number of the block."""

    def __contains__(self, letter: ConsumerRecord) -> bool:
        block, bit = divmod(letter.offset, BLOCK)
        return bool(self._blocks.get((letter.partition, block), 0) >> bit & 1)

    def without(self, letters: list[ConsumerRecord]) -> list[ConsumerRecord]:
        """Return those of ``letters`` that were not redriven."""
        return [letter for letter in letters if letter not in self] if self._blocks else letters

    def add(self, letters: Iterable[ConsumerRecord]) -> list[Message]:
        """Take note of ``letters``, and return the messages for the control topic that make it last."""
        touched: dict[tuple[int, int], None] = {}
        for letter in letters:
            block, bit = divmod(letter.offset, BLOCK)
            place = (letter.partition, block)
            self._blocks[place] = self._blocks.get(place, 0) | 1 << bit
            touched[place] = None
        return [self._message(*place) for place in touched]

    def learn(self, entries: Sequence[ConsumerRecord]) -> None:
        """Take note of what stands in the control topic. Raises ``TopicsError`` rather than redrive twice."""
        for entry in entries:
            if entry.key is None or not entry.key.startswith(KEY) or entry.value is None:
                continue
            event, bits = _read(entry)
            if event.topic_id in ("", self._topic_id):
                self._blocks[event.partition, event.first_offset // BLOCK] = bits

    def _message(self, partition: int, block: int) -> Message:
        first_offset, bits = block * BLOCK, f"{self._blocks[partition, block]:x}"
        event = RedrivenEvent(partition=partition, first_offset=first_offset, bits=bits, topic_id=self._topic_id)
        return Message(KEY + f"{partition}/{first_offset}".encode(), msgspec.json.encode(event), [])


async def read_redriven(reader: TopicReader, topics: DestinationTopics, partitions: int) -> RedrivenOffsets:
    """Read the control topic as it is now. Raises ``TopicsError``."""
    redriven = RedrivenOffsets(await reader.topic_id(topics.dead_letters))
    async for entries in reader.read(topics.control, range(partitions)):
        redriven.learn(entries)
    return redriven


def _read(entry: ConsumerRecord) -> tuple[RedrivenEvent, int]:
    try:
        event = _decode(entry.value)
        return event, int(event.bits, 16)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, ValueError) as error:
        place = f"{entry.topic} {entry.partition}/{entry.offset}"
        raise TopicsError(
            f"expected a RedrivenEvent in {place}, got something else ({error}); which letters of that block were "
            "redriven is not known, so nothing is: if they may be redriven again, send a null value with the key "
            f"{entry.key!r} to that partition"
        ) from error


_decode = msgspec.json.Decoder(RedrivenEvent).decode
