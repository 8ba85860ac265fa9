"""The payload of a dead letter: one too large for the topic stands elsewhere, until retention takes it."""

from aiokafka import ConsumerRecord

from sluice.events import Header
from sluice.headers import header_text
from sluice.kafka.topic_reader import TopicReader


class PayloadGone(Exception):
    """The payload is not where the letter says it is."""


async def payload_of(letter: ConsumerRecord, reader: TopicReader) -> bytes | None:
    """Read the bytes that the vendor should have got. Raises :class:`PayloadGone`."""
    place = header_text(letter.headers, Header.PAYLOAD_AT)
    message: ConsumerRecord | None = letter
    if letter.value is None and place:
        try:
            topic, partition, offset = place.rsplit("/", 2)
            payload_at = topic, int(partition), int(offset)
        except ValueError as error:
            raise PayloadGone(f"expected topic/partition/offset in {Header.PAYLOAD_AT}, got {place!r}") from error
        message = await reader.at(*payload_at)
    if message is None:
        raise PayloadGone(f"its payload stood at {place}, and retention has taken it; publish the record anew")
    payload: bytes | None = message.value
    return payload
