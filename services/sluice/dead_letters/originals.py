"""The record of a dead letter as it was: parts too large for the topic stand elsewhere, until retention takes them."""

from aiokafka import ConsumerRecord

from sluice.events import SLUICE_HEADER, Header, Headers
from sluice.headers import cut_parts, header_text, original_place
from sluice.kafka.sending import Message
from sluice.kafka.topic_reader import TopicReader


class OriginalGone(Exception):
    """The original is not where the letter says it is."""


async def original_of(letter: ConsumerRecord, reader: TopicReader) -> Message:
    """Read the key, value and headers with which ``letter`` was read, without headers of ours.

    Raises :class:`OriginalGone`, unless nothing but headers is missing: the record can do without them.
    """
    here = Message(letter.key, letter.value, _foreign(letter))
    cut = cut_parts(letter.headers)
    if not cut or (cut == ("payload",) and letter.value is not None):
        return here
    try:
        original = await _read_original(letter, reader)
    except OriginalGone:
        if cut == ("headers",):
            return here
        raise
    return Message(
        original.key if "key" in cut else here.key,
        original.value if "payload" in cut else here.value,
        _foreign(original) if "headers" in cut else here.headers,
    )


async def _read_original(letter: ConsumerRecord, reader: TopicReader) -> ConsumerRecord:
    named = header_text(letter.headers, Header.ORIGINAL_AT) or header_text(letter.headers, Header.PAYLOAD_AT)
    place = original_place(letter.headers)
    if place is None:
        raise OriginalGone(f"expected topic/partition/offset in {Header.ORIGINAL_AT}, got {named!r}")
    original = await reader.at(place.topic, place.partition, place.offset)
    if original is None:
        raise OriginalGone(f"its original stood at {named}, and retention has taken it; publish the record anew")
    return original


def _foreign(message: ConsumerRecord) -> Headers:
    return [(name, value) for name, value in message.headers if not name.startswith(SLUICE_HEADER)]
