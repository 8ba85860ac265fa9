"""A look at whether publishers choose partitions by murmur2: order per key depends on it."""

import logging
from collections.abc import Sequence

from sluice.events import KafkaRecord
from sluice.kafka.partitioner import ADVICE, is_misplaced
from sluice.telemetry.metrics import WriterMetrics

log = logging.getLogger(__name__)

SAMPLES = 4
"""Records looked at of each partition and poll; each costs 20 µs, and a poll brings up to 4,000."""


class PartitionerCheck:
    """Looks at samples, counts those that are misplaced, and warns of the first."""

    def __init__(self, metrics: WriterMetrics) -> None:
        self._metrics = metrics
        self.partitions = 1
        """Of the records topic, as of when the writer has joined its group."""
        self._has_warned = False

    def look(self, messages: Sequence[KafkaRecord]) -> None:
        """Look at a few of ``messages``, of one partition of the records topic."""
        for message in messages[:: max(1, -(-len(messages) // SAMPLES))]:
            if is_misplaced(message, self.partitions):
                self._metrics.misplaced_records.inc()
                self._warn(message)

    def _warn(self, message: KafkaRecord) -> None:
        if not self._has_warned:
            self._has_warned = True
            place = {"topic": message.topic, "partition": message.partition, "offset": message.offset}
            log.warning("key on a partition that murmur2 would not choose", extra={**place, "reason": ADVICE})
