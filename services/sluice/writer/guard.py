"""The flood guard of one writer: trips, follows the destination's guard, and stops or resumes delivery."""

import asyncio
import logging
import socket

from sluice.flow.flood_guard import FloodGuard
from sluice.kafka.aiokafka_workarounds import fail_if_cancelled
from sluice.kafka.control_topic import follow_guard, set_guard
from sluice.kafka.foreign_messages import ForeignMessages
from sluice.kafka.settings import KafkaSettings
from sluice.telemetry.metrics import WriterMetrics

log = logging.getLogger(__name__)


class GuardFollower:
    """Permits this writer to deliver, or not. It stops by itself, and goes on when a person says so."""

    def __init__(self, kafka: KafkaSettings, topic: str, guard: FloodGuard, metrics: WriterMetrics) -> None:
        self._kafka = kafka
        self._topic = topic
        self._guard = guard
        self._foreign = ForeignMessages(metrics.foreign_message)
        self._metrics = metrics
        self._tripped: asyncio.Queue[str] = asyncio.Queue()
        self.permits = asyncio.Event()
        """Set while delivery is permitted."""
        self.permits.set()
        self.reason: str | None = None
        """Why nothing is delivered; ``None`` while delivery is permitted."""
        self.known = asyncio.Event()
        """Set once it is known what state earlier processes have left."""

    def count(self, records: int, dead: int) -> None:
        """Take note of ``records`` settled, ``dead`` of them as dead letters."""
        self._trip(self._guard.count(records, dead))

    def suspect(self, records: int, dead: int) -> None:
        """Take note of ``records`` that are to be tried again, of which ``dead`` seem to be bad; none before count."""
        self._trip(self._guard.suspect(records, dead))

    def _trip(self, reason: str | None) -> None:
        if reason is not None and self.reason is None:
            log.error("flood guard stops the writer", extra={"reason": reason})
            self._set(reason)
            self._tripped.put_nowait(reason)

    async def run(self) -> None:
        """Follow the destination's guard, and tell other writers when it trips here.

        Raises ``KafkaError`` and ``KafkaUnreachable`` in a group.
        """
        async with asyncio.TaskGroup() as group:
            group.create_task(fail_if_cancelled(self._follow()))
            group.create_task(fail_if_cancelled(self._tell()))

    async def _follow(self) -> None:
        async for event in follow_guard(self._kafka, self._topic, foreign=self._foreign):
            if event is None:
                self.known.set()
            elif event.guard == "stopped":
                self._set(f"{event.reason}; stopped by {event.by}")
            else:
                self._guard.forget()
                self._set(None)
                if self.known.is_set():
                    log.warning("flood guard lets the writer go on", extra={"reason": event.reason, "by": event.by})

    async def _tell(self) -> None:
        while True:
            reason = await self._tripped.get()
            by = f"writer on {socket.gethostname()}"
            try:
                await set_guard(self._kafka, self._topic, "stopped", reason=reason, by=by)
            except BaseException:
                self._tripped.put_nowait(reason)  # told after the next start, lest an older event lifts the stop
                raise

    def _set(self, reason: str | None) -> None:
        self.reason = reason
        self._metrics.guard_stopped.set(reason is not None)
        if reason is None:
            self.permits.set()
        else:
            self.permits.clear()
