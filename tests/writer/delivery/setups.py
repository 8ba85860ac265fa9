"""Puts the parts of delivery together, for tests on the instant clock."""

from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager

from sluice.destinations.contract import Ambiguous, Refused, Unavailable
from sluice.flow.batch import InDoubt, Item, Part
from sluice.flow.flood_guard import FloodGuard
from sluice.flow.outcome import Fate, Outcome
from sluice.flow.windows import WindowLimits, Windows
from sluice.kafka.settings import KafkaSettings
from sluice.telemetry.metrics import WriterMetrics
from sluice.writer.delivery.batch_sender import BatchSender
from sluice.writer.delivery.deliverer import Deliverer
from sluice.writer.delivery.dispatcher import Dispatcher, always
from sluice.writer.delivery.limiter import Limiter, LimiterSettings
from sluice.writer.guard import GuardFollower
from tests.support.factories import NOON, make_batch
from tests.support.fakes import FakeDestination, FakeLane, lanes_of
from tests.support.instant_clock import in_background, now_s, run_instantly

OUTAGE = Unavailable("503", "busy")
LONG_OUTAGE = Unavailable("503", "busy", 600.0)
LOST = Ambiguous("connection lost")
REFUSED = Refused("400", "bad request", 400)
OPENED = InDoubt(batch_id="batch-0", refs={"job": "7"}, requested_at=NOON, lost_at_s=0.0)
"""A batch that an earlier owner has left open."""


def make_limiter(
    *,
    max_concurrent: int = 4,
    requests_per_s: float | None = None,
    monotonic: Callable[[], float] = now_s,
    uniform: Callable[[], float] = lambda: 1.0,
) -> Limiter:
    settings = LimiterSettings(
        max_concurrent=max_concurrent,
        requests_per_s=requests_per_s,
        backoff_base_s=1.0,
        backoff_cap_s=60.0,
        misconfigured_after_s=300.0,
    )
    return Limiter(settings, monotonic=monotonic, uniform=uniform)


def make_guard(
    metrics: WriterMetrics, *, over_records: int = 1000, servers: str = "nowhere:9", topic: str = "crm.control"
) -> GuardFollower:
    """Make a guard; one that does not run needs no Kafka."""
    flood_guard = FloodGuard(max_share=0.5, over_records=over_records)
    return GuardFollower(KafkaSettings(bootstrap_servers=servers), topic, flood_guard, metrics)


class SenderSetup:
    """A batch with all that its sender needs."""

    def __init__(
        self,
        destination: FakeDestination,
        items: Sequence[Item],
        *lanes: FakeLane,
        in_doubt: InDoubt | None = None,
        others_work: bool = False,
    ) -> None:
        """Without ``lanes`` there is lane 0 alone. ``others_work``: another batch succeeds before what is put back."""
        self.destination = destination
        self.limiter = make_limiter(max_concurrent=2)
        self.batch = make_batch(items)
        self.batch.in_doubt = in_doubt
        self.lanes = lanes_of(*lanes or [FakeLane(0)])
        self.settled: list[tuple[Item, Outcome]] = []
        self.put_back: list[Part] = []
        """All that was put back, and sent again after that."""
        self._others_work = others_work

    async def sender_ready(self) -> BatchSender:
        """Make the sender as a dispatcher does, with one permit to begin with."""
        await self.limiter.acquire()
        return BatchSender(self.batch, self.destination, self.limiter, self.lanes, WriterMetrics("crm"))

    async def fates(self) -> dict[int, Fate]:
        """Send as a dispatcher does, with no permit left at the end; return the fates by offset."""
        sent = 0
        await self.send_once()
        while sent < len(self.put_back):
            part = self.put_back[sent]
            sent += 1
            if self._others_work:
                await self.limiter.acquire()
                self.limiter.succeeded()
            self.batch = make_batch(part.items)
            self.batch.answered_at_loss = part.answered_at_loss
            await self.send_once()
        fates = {item.offset: outcome.fate for item, outcome in self.settled}
        assert len(fates) == len(self.settled), "an item has two fates"
        return fates

    def run(self) -> dict[int, Fate]:
        """Return :meth:`fates` at once."""
        return run_instantly(self.fates())

    async def send_once(self) -> None:
        """Send the batch, and nothing of what it puts back."""
        self.sender = await self.sender_ready()
        try:
            await self.sender.run(lambda fates, _: self.settled.extend(fates), self.put_back.extend)
        finally:
            self.sender.release_permit()
            assert self.limiter.in_flight == 0, "a permit is not given back, or given back twice"


class DispatcherSetup:
    """A dispatcher with all that it needs; windows close by count, so that no clock is involved."""

    def __init__(
        self,
        destination: FakeDestination,
        *,
        max_items: int = 1,
        max_concurrent: int = 4,
        has_room: Callable[[int], bool] = always,
    ) -> None:
        self.destination = destination
        self.lane = {number: FakeLane(number) for number in (0, 1)}
        self.lanes = lanes_of(*self.lane.values())
        self.windows = Windows(WindowLimits(max_items=max_items, max_bytes=100_000, max_age_s=3600.0))
        self.limiter = make_limiter(max_concurrent=max_concurrent)
        self.metrics = WriterMetrics("crm")
        self.guard = make_guard(self.metrics)
        self.deliverer = deliverer = Deliverer(
            "crm.records",
            lambda batch: BatchSender(batch, destination, self.limiter, self.lanes, self.metrics),
            self.lanes,
            self.metrics,
        )
        self.dispatcher = Dispatcher(self.windows, self.limiter, deliverer, self.guard, self.metrics, has_room)

    def running(self) -> AbstractAsyncContextManager[object]:
        """Deliver while the body runs."""
        return in_background(self.dispatcher.run())

    def settled(self, lane: int = 0) -> list[int]:
        """Return the offsets that are settled in a lane."""
        settlements = self.lane[lane].settlements
        return sorted(offset for one in settlements for offsets in one.offsets.values() for offset in offsets)
