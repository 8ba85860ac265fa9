"""Dead letters for tests, as the writer writes them."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import NamedTuple

import msgspec
from aiokafka import AIOKafkaProducer, ConsumerRecord

from sluice.client.connection import Connection
from sluice.dead_letters.redrive import Redrive, RedriveProgress
from sluice.dead_letters.redrive_plan import RedriveRules
from sluice.dead_letters.selection import Selection
from sluice.events import NO_REFS, Header, Headers, Place, encode_event
from sluice.flow.outcome import Fate
from sluice.kafka.sending import BatchedSends, Message
from sluice.writer.lanes.receipt_messages import Failure, dead_letter, succeeded
from sluice.writer.lanes.receipt_messages import Received as Returned
from tests.support.factories import DELIVERED, make_item, record
from tests.support.topics import read_all

ALL = Selection()
RULES = RedriveRules()
TRACEPARENT = ("traceparent", b"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")
UNKNOWN_FIELD = Failure(Fate.REJECTED, "UNKNOWN_FIELD", 'field "nmae" of c-17 is unknown', 200)
LOST = Failure(Fate.AMBIGUOUS, "lost-answer", "no answer within 30 s")


class Letter(NamedTuple):
    """A dead letter to write; what a test does not name is of no importance to it."""

    key: str = "c-1"
    failure: Failure = UNKNOWN_FIELD
    partition: int = 0
    value: bytes | None = None
    """A record event with this key where left out."""
    object_: str = "group/company"
    data: object = None
    batch_id: str = "b-1"
    redrives: int = 0
    source_offset: int = 7
    refs: Mapping[str, str] = NO_REFS
    payload_at: str = ""
    """Set in letters of earlier versions, whose payload alone was cut."""
    cut: str = ""
    original_at: str = ""

    def message(self, records: str) -> Message:
        """Return it as the writer would write it."""
        event = record(self.object_, key=self.key, data=self.data, event_id=f"e-{self.key}")
        headers: Headers = [TRACEPARENT, ("app", b"\xff")]
        if self.redrives:
            headers.append((str(Header.REDRIVE_COUNT), str(self.redrives).encode()))
        value = encode_event(event) if self.value is None else self.value
        source = Place(topic=records, partition=self.partition, offset=self.source_offset)
        returned = Returned(self.key.encode(), value, headers, source, 3, self.refs)
        message = dead_letter(returned, self.failure, self.batch_id, datetime.now(UTC))
        if self.payload_at:
            place = (str(Header.PAYLOAD_AT), self.payload_at.encode())
            return Message(message.key, None, [*message.headers, place])
        if not self.cut:
            return message
        kept = [header for header in message.headers if "headers" not in self.cut or header[0].startswith("sluice.")]
        marks = [(str(Header.CUT), self.cut.encode()), (str(Header.ORIGINAL_AT), self.original_at.encode())]
        key = None if "key" in self.cut else message.key
        payload = None if "payload" in self.cut else message.value
        return Message(key, payload, [*kept, *marks])


LETTERS = [
    Letter("a"),
    Letter("b", LOST, batch_id="b-2"),
    Letter("c", partition=1, object_="profile"),
    Letter("d", partition=1, value=b'{"event_id":"e","object":"profile","job_id":"night"}'),
    Letter("poison", Failure(Fate.REJECTED, "not-a-record-event", "expected JSON"), value=b"\x00\xff"),
]
"""Letters of several reasons, objects and partitions; the last is no record event."""


async def deliver(connection: Connection, letter: Letter) -> None:
    """Write the receipt of the record of ``letter``, as if it had been redriven and delivered."""
    topics = connection.topics("crm")
    source = Place(topic=topics.records, partition=letter.partition, offset=letter.source_offset)
    item = msgspec.structs.replace(make_item(event=record(letter.object_, key=letter.key)), source=source)
    receipt = succeeded(item, DELIVERED, "b-9", datetime.now(UTC))
    async with AIOKafkaProducer(bootstrap_servers=connection.kafka.bootstrap_servers) as producer:
        await producer.send_and_wait(topics.succeeded, receipt.value, partition=letter.partition)


async def bury(connection: Connection, letters: Iterable[Letter]) -> None:
    """Write ``letters`` to the dead letters of ``crm``, those of one partition in their order."""
    topics = connection.topics("crm")
    by_partition = defaultdict[int, list[Message]](list)
    for letter in letters:
        by_partition[letter.partition].append(letter.message(topics.records))
    async with AIOKafkaProducer(bootstrap_servers=connection.kafka.bootstrap_servers) as producer:
        for partition, messages in by_partition.items():
            sends = BatchedSends(producer, partition)
            await sends.send(topics.dead_letters, messages)
            await sends.confirmed()


async def redrive(connection: Connection, selection: Selection = ALL, rules: RedriveRules = RULES) -> RedriveProgress:
    """Redrive letters of ``crm``, and return what became of them."""
    run = Redrive("crm", connection, selection, rules)
    async for _ in run.run():
        pass
    return run.progress


async def read_records(connection: Connection) -> list[ConsumerRecord]:
    """Read the records topic of ``crm``."""
    return await read_all(connection, connection.topics("crm").records)


def keys_of(records: Sequence[ConsumerRecord]) -> list[str]:
    """Return the message keys of ``records``."""
    return [record.key.decode() for record in records]
