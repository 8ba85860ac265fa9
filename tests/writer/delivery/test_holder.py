"""Holder: each failed request gives its permit back once, and shuts the gate unless the vendor has answered."""

import pytest

from sluice.destinations.contract import Ambiguous, Misconfigured, Refused, Unavailable
from sluice.telemetry.metrics import WriterMetrics
from sluice.writer.delivery.holder import Holder
from tests.support.instant_clock import instantly
from tests.writer.delivery.setups import make_limiter

WRONG, BAD = Misconfigured("answered 404"), Refused("400", "bad request", 400)


@pytest.mark.parametrize(
    ("error", "held_because", "obstacle"),
    [
        pytest.param(Unavailable("503", "busy"), "503", False, id="an outage"),
        pytest.param(Ambiguous("lost"), "no-answer", False, id="a lost answer"),
        pytest.param(WRONG, "misconfigured", True, id="a wrong address"),
        pytest.param(
            Ambiguous("perhaps not by the vendor", refusal=WRONG), "no-answer", True, id="perhaps a wrong one"
        ),
        pytest.param(Ambiguous("perhaps", refusal=BAD), None, False, id="an answer to these items"),
    ],
)
@instantly
async def test_permit_comes_back_once_and_the_gate_is_shut(
    error: Unavailable | Misconfigured | Ambiguous, held_because: str | None, obstacle: bool
) -> None:
    limiter = make_limiter()
    await limiter.acquire()
    Holder("b-1", limiter, WriterMetrics("crm")).hold(error)
    assert (limiter.in_flight, limiter.held_because, limiter.held_for_s > 0) == (
        0,
        held_because,
        held_because is not None,
    )
    assert (limiter.obstacle is not None) is obstacle
