"""Committed offsets: which log each of them is a place in, and where a lane begins when it means nothing any more.

A topic that is deleted and made anew keeps its name, and Kafka may keep the offsets that were committed for that name.
So each commit names its topic's id. Logs also lose their beginning, to retention, and at times their end: when brokers
are lost and an older copy takes over, or somebody restores one.
"""

from typing import Literal, NamedTuple

import msgspec


class CommitMetadata(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The text that a lane keeps with a committed offset. Earlier versions wrote ``journal`` alone."""

    topic_id: str = ""
    """The id of the topic in which the offset is a place; empty when that is not known."""
    journal: int = 0
    """The offset in the lane's ``batches`` partition to read from. It stands with the records topic alone."""
    journal_id: str = ""
    """The id of the ``batches`` topic in which that is a place; empty when that is not known."""
    newest_ids: dict[str, str] = {}
    """The greatest ids that the vendor had shown, by kind of object, where it is asked by them. With the records topic
    alone: the lane's next owner must not take for its own what this one has made."""

    def encode(self) -> str:
        """Return the string that Kafka keeps with a committed offset."""
        return msgspec.json.encode(self).decode()

    @classmethod
    def decode(cls, text: str | None) -> "CommitMetadata | None":
        """Read ``text``; ``None`` for a commit that was not made by a writer."""
        try:
            return msgspec.json.decode(text, type=cls) if text else None
        except (msgspec.DecodeError, RecursionError):
            return None


class Commit(NamedTuple):
    """An offset that the group has committed, with what stands beside it."""

    offset: int
    metadata: CommitMetadata | None
    """``None`` where somebody else has set the offset, such as an administrator."""


class Log(NamedTuple):
    """One partition of a topic, as Kafka has it when the lane is opened."""

    topic_id: str
    beginning: int
    end: int


class LaneTopicIds(NamedTuple):
    """The ids of the topics in which a lane has a place."""

    inputs: tuple[str, ...]
    """By input topic number."""
    batches: str


class Start(NamedTuple):
    """The place where a lane begins to read a topic."""

    log: Log
    offset: int
    why: Literal["new", "committed", "made-anew", "cut-off", "deleted"]
    settled_below: int
    """Everything below was settled. From here to ``offset`` retention has deleted what may not have been read."""

    def clip(self, topic_id: str, offset: int, length: int) -> range:
        """Return those of ``length`` offsets from ``offset`` on that can be in this log, and were not settled before.

        ``topic_id`` is that of their own topic; earlier versions did not write it down.
        """
        if offset < 0 or (topic_id != self.log.topic_id and (topic_id or self.why == "made-anew")):
            return range(0)
        first = max(offset, self.settled_below)
        return range(first, max(first, min(offset + length, self.log.end)))


def start_of(commit: Commit | None, log: Log) -> Start:
    """Return where to begin to read ``log`` after ``commit``, the last one for the topic's name."""
    if commit is None:
        return Start(log, log.beginning, "new", log.beginning)
    if commit.metadata is not None and commit.metadata.topic_id not in ("", log.topic_id):
        return Start(log, log.beginning, "made-anew", log.beginning)
    if commit.offset > log.end:
        return Start(log, log.end, "cut-off", log.end)
    if commit.offset < log.beginning:
        return Start(log, log.beginning, "deleted", commit.offset)
    return Start(log, commit.offset, "committed", commit.offset)


def journal_start_of(commit: Commit | None, journal: Log) -> Start:
    """Return from where to read the ``journal``: whole, unless the records topic's ``commit`` tells more."""
    metadata = None if commit is None else commit.metadata
    if metadata is None:
        return start_of(None, journal)
    place = Commit(metadata.journal, CommitMetadata(topic_id=metadata.journal_id))
    start = start_of(place, journal)
    # Entries below its end may have been written after the cut: to read too many of them harms nothing.
    return start._replace(offset=journal.beginning) if start.why == "cut-off" else start
