"""Say what is not as a lane's last owner has left it: topics made anew, logs cut off, offsets set by somebody else."""

import logging
from collections.abc import Sequence
from typing import Any, NamedTuple

from sluice.flow.commits import Commit, Start
from sluice.flow.journal import Journal
from sluice.telemetry.metrics import WriterMetrics
from sluice.topics import DestinationTopics
from sluice.writer.lanes.decoding import RECORDS

log = logging.getLogger(__name__)

RECORDS_MADE_ANEW = "the records topic was made anew: this lane begins at its beginning, nothing of the old one counts"
RETRIES_MADE_ANEW = "a retry topic was made anew: records that waited in the old one get no receipt"
JOURNAL_MADE_ANEW = "the journal was made anew: what was settled or sent beyond the committed offsets is sent again"
CUT_OFF = "a log ends before the committed offset: this lane goes on at its end, where newer messages will stand"
JOURNAL_CUT_OFF = "the journal ends before the committed place in it: it is read whole"
DELETED = "records were deleted before they were read: they get no receipt"
SET_BY_OTHERS = (
    "somebody else has set the committed offset: records that have a receipt are skipped, publish them anew to deliver "
    "them again; what was skipped without a receipt gets none"
)


class Found(NamedTuple):
    """The state of a lane as it was read."""

    lane: int
    commits: Sequence[Commit | None]
    """By input topic number, as the following."""
    starts: Sequence[Start]
    journal_start: Start
    journal: Journal

    def report(self, names: DestinationTopics, metrics: WriterMetrics) -> bool:
        """Log what is strange, and count what is lost; return whether that is anything."""
        said = [self._report_input(number, topic, metrics) for number, topic in enumerate(names.inputs)]
        return any([*said, self._report_journal(names.batches), self._report_foreign_commit(names.records)])

    def _report_input(self, number: int, topic: str, metrics: WriterMetrics) -> bool:
        start, commit = self.starts[number], self.commits[number]
        committed_id = commit.metadata.topic_id if commit and commit.metadata else ""
        other_id = committed_id if start.why == "made-anew" else self.journal.other_ids[number]
        if start.why == "made-anew" or (start.why == "new" and other_id):
            message = RECORDS_MADE_ANEW if number == RECORDS else RETRIES_MADE_ANEW
            self._warn(message, topic, topic_id=start.log.topic_id, old_topic_id=other_id)
            return True
        if start.why == "cut-off" and commit is not None:
            self._warn(CUT_OFF, topic, committed=commit.offset, end=start.offset, lost=commit.offset - start.offset)
            return True
        if start.why == "deleted":
            return self._report_deleted(number, topic, metrics)
        return False

    def _report_deleted(self, number: int, topic: str, metrics: WriterMetrics) -> bool:
        """Take out of the journal what is deleted, and count what of that was not settled."""
        start, settled = self.starts[number], self.journal.settled[number]
        deleted = range(start.settled_below, start.offset)
        before = len(settled)
        settled.remove(deleted)
        self.journal.in_doubt[number].remove(deleted)
        if unread := len(deleted) - (before - len(settled)):
            # Offsets are counted, and transactions leave some that are no records.
            self._warn(DELETED, topic, first=deleted.start, last=deleted.stop - 1, at_most=unread)
            metrics.unread_deleted.inc(unread)
        return True

    def _report_journal(self, topic: str) -> bool:
        start, commit = self.journal_start, self.commits[RECORDS]
        metadata = commit.metadata if commit else None
        if metadata is None or start.why not in ("made-anew", "cut-off"):
            return False
        if start.why == "made-anew":
            self._warn(JOURNAL_MADE_ANEW, topic, topic_id=start.log.topic_id, old_topic_id=metadata.journal_id)
        else:
            self._warn(JOURNAL_CUT_OFF, topic, committed=metadata.journal, end=start.log.end)
        return True

    def _report_foreign_commit(self, topic: str) -> bool:
        commit, known_end = self.commits[RECORDS], self.journal.ends[RECORDS]
        if commit is None or commit.metadata is not None or not known_end:
            return False
        settled, skipped = len(self.journal.settled[RECORDS]), max(0, commit.offset - known_end)
        self._warn(SET_BY_OTHERS, topic, committed=commit.offset, with_receipt=settled, at_most_without=skipped)
        return True

    def _warn(self, message: str, topic: str, **fields: Any) -> None:
        log.warning(message, extra={"lane": self.lane, "topic": topic, **fields})
