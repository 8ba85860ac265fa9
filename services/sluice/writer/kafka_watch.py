"""Watch of a Kafka that has fallen silent: aiokafka asks on for ever and tells nobody, and its writer seems ready."""

import asyncio
import logging

from sluice.kafka.clients import explain_failure
from sluice.kafka.connections import silence
from sluice.kafka.settings import KafkaSettings

log = logging.getLogger(__name__)

SILENT_SHARE = 1 / 3
"""Share of the session timeout without any answer, while heartbeats and the guard's topic ask much more often."""
_LOOK_EVERY_S = 0.5


class KafkaWatch:
    """Looks for a silent Kafka, and for the reason."""

    def __init__(self, kafka: KafkaSettings) -> None:
        self._kafka = kafka
        self._silent_after_s = SILENT_SHARE * kafka.session_timeout_s
        self.obstacle: str | None = None
        """Why Kafka does not answer; ``None`` while it does."""

    async def run(self) -> None:
        """Watch until cancelled."""
        while True:
            await asyncio.sleep(_LOOK_EVERY_S)
            if silence.seconds < self._silent_after_s:
                if self.obstacle is not None:
                    log.info("Kafka answers again")
                self.obstacle = None
                continue
            reason = await explain_failure(TimeoutError("it can be reached again"), self._kafka)
            if self.obstacle is None:
                log.warning("Kafka does not answer", extra={"reason": reason, "seconds": round(silence.seconds, 1)})
            self.obstacle = f"Kafka has not answered for {silence.seconds:.0f} s: {reason}"
