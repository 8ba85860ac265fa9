"""BatchSender one batch until the fate of every item is known."""

import asyncio
import logging
import time
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime

import msgspec

from sluice.destinations.contract import Ambiguous, BatchError, Destination, Refused, Unavailable
from sluice.flow.batch import Batch, InDoubt, Item
from sluice.flow.outcome import Fate, Outcome
from sluice.flow.retry_policy import backoff_s
from sluice.telemetry.metrics import WriterMetrics
from sluice.writer.delivery.limiter import Limiter
from sluice.writer.delivery.write_ahead import WriteAhead
from sluice.writer.kill_points import AtKillPoint, KillPoint, go_on
from sluice.writer.lanes.lane import Lane
from sluice.writer.lanes.settlement import BatchTimes

log = logging.getLogger(__name__)

MAX_LOST_ANSWERS = 5
"""Answers lost in a row for one batch, after which the vendor is asked whether it is well."""
RECOVERY_BASE_S, RECOVERY_CAP_S = 1.0, 30.0
"""Pauses between two questions about a batch whose fate is not known."""


class BatchSender:
    """One batch on its way. Made with a permit of the limiter for its first request; acquires one for each other."""

    def __init__(
        self,
        batch: Batch,
        *,
        destination: Destination,
        limiter: Limiter,
        lanes: Mapping[int, Lane],
        metrics: WriterMetrics,
        at_kill_point: AtKillPoint = go_on,
    ) -> None:
        self._batch = batch
        self._destination = destination
        self._limiter = limiter
        self._lanes = lanes
        self._metrics = metrics
        self._at_kill_point = at_kill_point
        self._requested_at = self._answered_at = datetime.now(UTC)
        self._has_first_permit = True
        self._intents = WriteAhead(batch, lanes)
        self._abandoned = False
        self._requests_out = 0
        self.fates: list[tuple[Item, Outcome]] = []
        """What is known so far. It counts also when :meth:`run` is cancelled."""
        self.in_order = False
        """Whether ``fates`` are those of all items, in item order: nothing went wrong."""
        self.requests = 0
        """Requests sent so far: more than one when something went wrong."""

    @property
    def with_vendor(self) -> bool:
        """Whether a request is out whose answer is not here yet."""
        return self._requests_out > 0

    @property
    def times(self) -> BatchTimes:
        """When the last request left and when its answer came."""
        return BatchTimes(self._requested_at, self._answered_at)

    async def run(self) -> None:
        """Send until every fate is known. An outage is waited for, however long. Raises ``Misconfigured``.

        Items whose lane is lost meanwhile are left out: they are its new owner's.
        """
        if self._batch.in_doubt is not None:
            await self._recover(self._batch.items, self._batch.in_doubt)
        else:
            await self._send(self._batch.items)

    def abandon(self) -> None:
        """Send nothing more; an answer that is under way is still waited for."""
        self._abandoned = True

    def release_permit(self) -> None:
        """Give the first permit back if it was never used."""
        if self._has_first_permit:
            self._has_first_permit = False
            self._limiter.release()

    async def _send(self, items: Sequence[Item]) -> None:
        lost_answers = 0
        while items := await self._cleared(items):
            try:
                return await self._note(items, await self._request(items))
            except Unavailable as error:
                lost_answers = 0
                self._hold(error.reason, str(error), error.retry_after_s, overloaded=error.overloaded)
            except Refused as error:
                fate = Outcome(Fate.REJECTED, error.code, str(error), None, error.http_status)
                return await self._isolate(items, fate)
            except Ambiguous as error:
                lost_answers += 1
                self._hold("no-answer", str(error), None, overloaded=error.timed_out)
                unsafe = [item for item in items if not item.encoded.replay_safe]
                if unsafe:
                    rest = [item for item in items if item.encoded.replay_safe]
                    return await self._recover_and_send(unsafe, rest)
                if lost_answers >= MAX_LOST_ANSWERS and await self._vendor_is_well():
                    return await self._isolate(items, Outcome(Fate.RETRYABLE, "no-answer", str(error)))
        return None

    async def _note(self, items: Sequence[Item], outcomes: Sequence[Outcome]) -> None:
        """Keep what the vendor has said of each item, and find out about those of which it has said nothing."""
        fates = list(zip(items, outcomes, strict=True))
        if Fate.AMBIGUOUS not in {outcome.fate for outcome in outcomes}:
            self.in_order = items is self._batch.items
            self.fates += fates
            return
        unsafe: list[Item] = []
        for item, outcome in fates:
            if outcome.fate is not Fate.AMBIGUOUS:
                self.fates.append((item, outcome))
            elif item.encoded.replay_safe:
                # What may be applied twice needs no question: it is sent again.
                again = Outcome(Fate.RETRYABLE, outcome.code, outcome.message, None, outcome.http_status)
                self.fates.append((item, again))
            else:
                unsafe.append(item)
        if unsafe:
            await self._recover(unsafe, self._sent_now())

    async def _recover_and_send(self, unsafe: Sequence[Item], rest: Sequence[Item]) -> None:
        in_doubt = self._sent_now()
        async with asyncio.TaskGroup() as group:
            group.create_task(self._recover(unsafe, in_doubt))
            group.create_task(self._send(rest))

    async def _recover(self, items: Sequence[Item], in_doubt: InDoubt) -> None:
        """Ask the vendor what became of ``items``, and send those of which it is proven that they were not applied.

        Takes no permit: asking may wait until a proof is possible, and what is limited are writes.
        """
        self.release_permit()
        failures = 0
        while items := self._owned(items):
            try:
                found = await self._destination.recover(self._part(items), in_doubt)
            except Refused as error:
                found = [Outcome(Fate.AMBIGUOUS, error.code, str(error), None, error.http_status)] * len(items)
            except (Unavailable, Ambiguous) as error:
                failures += 1
                await self._pause_before_asking_again(failures, error, in_doubt)
                continue
            unapplied = [item for item, outcome in zip(items, found, strict=True) if outcome is None]
            self.fates += [(item, outcome) for item, outcome in zip(items, found, strict=True) if outcome is not None]
            log.info(
                "batch recovered",
                extra={"batch_id": in_doubt.batch_id, "items": len(items), "sent_again": len(unapplied)},
            )
            return await self._send(unapplied)
        return None

    async def _pause_before_asking_again(self, failures: int, error: BatchError, in_doubt: InDoubt) -> None:
        delay_s = error.retry_after_s if isinstance(error, Unavailable) else None
        if delay_s is None:
            delay_s = backoff_s(failures, base_s=RECOVERY_BASE_S, cap_s=RECOVERY_CAP_S, uniform=1.0)
        fields = {"batch_id": in_doubt.batch_id, "error": str(error), "delay_s": delay_s}
        log.warning("batch not recovered yet", extra=fields)
        await asyncio.sleep(delay_s)

    async def _cleared(self, items: Sequence[Item]) -> Sequence[Item]:
        """Those of ``items`` that may be sent now; if there are any, a permit for their request has been taken.

        A process that was stopped, or cut off from Kafka, may have lost its lanes without knowing: whatever has not
        been confirmed of late is confirmed before each request. What must not be sent twice is in the journal first.
        """
        if not (items := self._owned(items)):
            return items
        if self._has_first_permit:
            self._has_first_permit = False
        else:
            await self._limiter.acquire()
        try:
            items = self._owned(items)
            waits = self._intents.open(items)
            # Once more after each wait: whoever was stopped in the middle of it wakes up as if nothing had happened.
            while waits := [*waits, *self._confirmations(items)]:
                await asyncio.gather(*waits)
                self._at_kill_point(KillPoint.INTENDED)
                items, waits = self._owned(items), []
        except BaseException:
            self._limiter.release()
            raise
        if not items:
            self._limiter.release()
        return items

    def _confirmations(self, items: Sequence[Item]) -> list[asyncio.Future[None]]:
        """Questions to Kafka whether the lanes of ``items`` are still ours, for those that it has not told of late."""
        now_s = time.monotonic()
        return [lane.confirm() for lane in {self._lanes[item.lane] for item in items} if lane.is_stale(now_s)]

    def withdraw(self) -> None:
        """Take out of the journal what was opened there and not sent after all. The last call of a sending's life."""
        self._intents.withdraw(item for item, _ in self.fates)

    async def _request(self, items: Sequence[Item]) -> Sequence[Outcome]:
        self.requests += 1
        self._requested_at = datetime.now(UTC)
        self._requests_out += 1
        self._intents.sending(items)
        self._at_kill_point(KillPoint.SENDING)
        lanes = {self._lanes[item.lane] for item in items}
        try:
            outcomes = await self._destination.write(self._part(items), lambda: _check_freshness(lanes))
        except Unavailable:
            self._intents.turned_away(items)
            raise  # _hold releases the permit, together with what it teaches
        except Ambiguous:
            raise  # likewise
        except Refused:
            self._intents.turned_away(items)
            self._limiter.succeeded()
            raise
        except BaseException:
            self._limiter.release()
            raise
        else:
            self._limiter.succeeded()
            return outcomes
        finally:
            self._requests_out -= 1
            self._answered_at = datetime.now(UTC)

    async def _isolate(self, items: Sequence[Item], fate: Outcome) -> None:
        """Halve ``items`` until the bad one stands alone: at most 2·⌈log2 n⌉ more requests for one among n."""
        if len(items) == 1:
            self.fates.append((items[0], fate))
            return
        middle = len(items) // 2
        await self._send(items[:middle])
        await self._send(items[middle:])

    async def _vendor_is_well(self) -> bool:
        try:
            await self._destination.check()
        except BatchError:
            return False
        return True

    def _hold(self, reason: str, message: str, retry_after_s: float | None, *, overloaded: bool) -> None:
        delay_s = self._limiter.failed(retry_after_s, overloaded=overloaded)
        self._limiter.held_because = reason
        self._metrics.holds.labels(reason).inc()
        self._metrics.held.inc(delay_s)
        # The first failure is news; what follows is the same outage.
        log.log(
            logging.WARNING if self._limiter.failures == 1 else logging.DEBUG,
            "destination unavailable, holding",
            extra={"reason": reason, "error": message, "delay_s": round(delay_s, 3), "batch_id": self._batch.batch_id},
        )

    def _owned(self, items: Sequence[Item]) -> Sequence[Item]:
        """Those of ``items`` whose lane is still ours: nothing else may be sent."""
        if self._abandoned:
            return []
        owned = {number for number, lane in self._lanes.items() if lane.alive}
        if owned.issuperset({item.lane for item in items}):
            return items
        return [item for item in items if item.lane in owned]

    def _sent_now(self) -> InDoubt:
        return InDoubt(batch_id=self._batch.batch_id, refs={}, requested_at=self._requested_at)

    def _part(self, items: Sequence[Item]) -> Batch:
        if items is self._batch.items:
            return self._batch
        body_bytes = sum(len(item.encoded.body) for item in items) + len(items) - 1
        return msgspec.structs.replace(self._batch, items=list(items), body_bytes=body_bytes, reason="bisect")


def _check_freshness(lanes: Iterable[Lane]) -> None:
    """Raises ``Unavailable`` when a lane may have changed hands since it was confirmed: this process was frozen."""
    now_s = time.monotonic()
    if any(lane.is_stale(now_s) for lane in lanes):
        raise Unavailable(
            "frozen", "this process stood still before its request left; are its lanes still its own?", 0.0
        )


def rows_in(batch: Batch) -> dict[int, int]:
    """By ``id`` of an item, its row in ``batch``."""
    return {id(item): row for row, item in enumerate(batch.items)}
