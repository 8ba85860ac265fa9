"""Questions to the vendor about items whose answer is lost, until the fate of each is known."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Sequence

import msgspec

from sluice.destinations.contract import Ambiguous, BatchError, Destination, Misconfigured, Refused, Unavailable
from sluice.destinations.item_calls import ItemDestination
from sluice.flow.batch import Batch, InDoubt, Item
from sluice.flow.outcome import Fate, Outcome
from sluice.flow.retry_policy import backoff_s
from sluice.flow.table_header import table_bytes
from sluice.writer.delivery.clearance import Clearance
from sluice.writer.lanes.settlement import Fates

log = logging.getLogger(__name__)

RECOVERY_BASE_S, RECOVERY_CAP_S = 1.0, 30.0
"""Pauses between two questions about a batch whose fate is not known."""
GATHER_S = 0.2
"""Longest wait for a fate that the vendor was asked about, to share its journal entry with others."""


class Inquiry:
    """Asks about items of one batch. It takes no permit: what is limited are writes."""

    def __init__(
        self,
        destination: Destination | ItemDestination,
        clearance: Clearance,
        batch: Batch,
        know: Callable[[Fates], None],
    ) -> None:
        self._destination = destination
        self._clearance = clearance
        self._batch = batch
        self._know = know

    async def unapplied(self, items: Sequence[Item], in_doubt: InDoubt) -> AsyncIterator[Sequence[Item]]:
        """Hand over each fate that is found out, and yield the items that are proven not to be applied.

        Asking may wait until a proof is possible. Only items about which a question has failed wait for the next one.
        """
        failures = 0
        while items := self._clearance.owned(items):
            asked = len(items)
            unapplied, items, error = await self._ask(items, in_doubt)
            self._clearance.write_ahead.turned_away(unapplied)
            counts = {"items": asked, "sent_again": len(unapplied), "asked_again": len(items)}
            log.info("batch recovered", extra={"batch_id": in_doubt.batch_id, **counts})
            yield unapplied
            if error is None:
                return
            failures = failures + 1 if len(items) == asked else 1
            await _pause(failures, error, in_doubt)

    async def _ask(
        self, items: Sequence[Item], in_doubt: InDoubt
    ) -> tuple[Sequence[Item], Sequence[Item], BatchError | None]:
        """Hand over what the vendor says of ``items``; return those not applied, those not known, and why not."""
        unknown = {item.row: item for item in items}
        unapplied: list[Item] = []
        known: list[tuple[Item, Outcome]] = []
        failed: BatchError | None = None

        def hand_over() -> None:
            self._know(sorted(known, key=lambda fate: fate[0].row))
            known.clear()

        try:
            async for item, outcome in self._destination.recover(part_of(self._batch, items), in_doubt):
                del unknown[item.row]
                if outcome is None:
                    unapplied.append(item)
                    continue
                if not known:
                    # An entry of the journal for each would be too many, and to wait for the last one too long.
                    asyncio.get_running_loop().call_later(GATHER_S, hand_over)
                known.append((item, outcome))
        except Refused as error:
            fate = Outcome(Fate.AMBIGUOUS, error.code, str(error), None, error.http_status)
            known += [(item, fate) for item in unknown.values()]
            unknown.clear()
        except (Unavailable, Ambiguous, Misconfigured) as error:
            failed = error
        finally:
            hand_over()
        return unapplied, list(unknown.values()), failed


def part_of(batch: Batch, items: Sequence[Item]) -> Batch:
    """Return ``batch`` with ``items`` alone."""
    if items is batch.items:
        return batch
    body_bytes = table_bytes(item.encoded for item in items)
    return msgspec.structs.replace(batch, items=list(items), body_bytes=body_bytes, reason="bisect")


async def _pause(failures: int, error: BatchError, in_doubt: InDoubt) -> None:
    delay_s = backoff_s(failures, base_s=RECOVERY_BASE_S, cap_s=RECOVERY_CAP_S, uniform=1.0)
    if isinstance(error, Unavailable):
        delay_s = max(delay_s, error.retry_after_s or 0.0)
    fields = {"batch_id": in_doubt.batch_id, "error": str(error), "delay_s": delay_s}
    log.warning("batch not recovered yet", extra=fields)
    await asyncio.sleep(delay_s)
