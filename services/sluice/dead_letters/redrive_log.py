"""Which dead letters were redriven: remembered in the control topic, in the transaction that redrives them.

One compacted entry stands for a run of ``RUN`` offsets of one partition: a million letters are 250 entries, and
compaction keeps the last state of each. Rejected: committed offsets (a selection leaves gaps, their metadata holds
4 KiB, and Kafka forgets a group's offsets after a week, dead letters only after a month), and looking for the redriven
record in the records topic (its retention is shorter than that of dead letters, and reading it costs the backlog).
Entries outlive their letters: who deletes the dead-letters topic to make it anew deletes the control topic, too.
"""

from collections.abc import Iterable, Sequence

import msgspec
from aiokafka import ConsumerRecord

from sluice.events import RedrivenEvent
from sluice.kafka.sending import Message
from sluice.kafka.topic_reader import TopicReader

RUN = 4096
"""Offsets of one entry."""
KEY = b"redriven/"
"""Begins the message keys of these entries; the flood guard's have another."""


class RedrivenOffsets:
    """What was redriven of one destination's dead letters."""

    def __init__(self) -> None:
        self._runs: dict[tuple[int, int], int] = {}
        """Bits by partition and number of the run."""

    def __contains__(self, letter: ConsumerRecord) -> bool:
        run, bit = divmod(letter.offset, RUN)
        return bool(self._runs.get((letter.partition, run), 0) >> bit & 1)

    def without(self, letters: list[ConsumerRecord]) -> list[ConsumerRecord]:
        """Those of ``letters`` that were not redriven."""
        return [letter for letter in letters if letter not in self] if self._runs else letters

    def add(self, letters: Iterable[ConsumerRecord]) -> list[Message]:
        """Take note of ``letters``; the messages for the control topic that make it last."""
        touched: dict[tuple[int, int], None] = {}
        for letter in letters:
            run, bit = divmod(letter.offset, RUN)
            place = (letter.partition, run)
            self._runs[place] = self._runs.get(place, 0) | 1 << bit
            touched[place] = None
        return [self._message(*place) for place in touched]

    def learn(self, entries: Sequence[ConsumerRecord]) -> None:
        """Take note of what stands in the control topic. Raises ``msgspec.DecodeError`` rather than redrive twice."""
        for entry in entries:
            if entry.key is None or not entry.key.startswith(KEY) or entry.value is None:
                continue
            redriven = _decode(entry.value)
            self._runs[redriven.partition, redriven.first_offset // RUN] = int(redriven.bits, 16)

    def _message(self, partition: int, run: int) -> Message:
        bits = f"{self._runs[partition, run]:x}"
        entry = RedrivenEvent(partition=partition, first_offset=run * RUN, bits=bits)
        return Message(_key(partition, run), msgspec.json.encode(entry), [])


async def read_redriven(reader: TopicReader, control: str, partitions: int) -> RedrivenOffsets:
    """What the control topic says now."""
    redriven = RedrivenOffsets()
    async for entries in reader.read(control, range(partitions)):
        redriven.learn(entries)
    return redriven


def _key(partition: int, run: int) -> bytes:
    return KEY + f"{partition}/{run * RUN}".encode()


_decode = msgspec.json.Decoder(RedrivenEvent).decode
