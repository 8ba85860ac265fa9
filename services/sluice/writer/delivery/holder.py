"""Holds delivery when a request found the vendor unavailable, and says why."""

import logging

from sluice.destinations.contract import Ambiguous, HoldReason, Misconfigured, Refused, Unavailable
from sluice.telemetry.metrics import WriterMetrics
from sluice.writer.delivery.limiter import Limiter

log = logging.getLogger(__name__)


class Holder:
    """Releases the permits of one batch's failed requests, together with what they teach."""

    def __init__(self, batch_id: str, limiter: Limiter, metrics: WriterMetrics) -> None:
        self._batch_id = batch_id
        self._limiter = limiter
        self._metrics = metrics

    def hold(self, error: Unavailable | Misconfigured | Ambiguous) -> None:
        """Shut the gate after ``error``."""
        match error:
            case Ambiguous(refusal=Refused()):
                self._limiter.succeeded()  # an answer to these items, not an outage
            case Misconfigured():
                self._limiter.refused(str(error))
                self._fail("misconfigured", str(error), None, overloaded=False)
            case Unavailable() | Ambiguous():
                if isinstance(error, Ambiguous) and error.refusal is not None:
                    self._limiter.refused(str(error))
                self._fail(error.reason, str(error), error.retry_after_s, overloaded=error.overloaded)

    def _fail(self, reason: HoldReason, message: str, retry_after_s: float | None, *, overloaded: bool) -> None:
        before = self._limiter.failures
        delay_s = self._limiter.failed(retry_after_s, overloaded=overloaded)
        self._limiter.held_because = reason
        self._metrics.delivery_held(reason, delay_s)
        # The first failure is news; what follows is the same outage.
        log.log(
            logging.WARNING if before == 0 else logging.DEBUG,
            "destination unavailable, holding",
            extra={"reason": reason, "error": message, "delay_s": round(delay_s, 3), "batch_id": self._batch_id},
        )
