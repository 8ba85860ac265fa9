"""Identities: one holder at a time, in the order in which they came."""

import asyncio
from contextlib import suppress

from sluice.writer.delivery.identities import Identities
from tests.support.instant_clock import instantly, turn


@instantly
async def test_one_holds_an_identity_and_the_others_follow_in_turn() -> None:
    identities, order = Identities(), []

    async def hold(name: str) -> None:
        await identities.hold("standup")
        order.append(name)

    assert identities.try_hold("standup")
    assert not identities.try_hold("standup")
    assert identities.try_hold("retro")
    tasks = [asyncio.create_task(hold(name)) for name in ("first", "second")]
    await turn()
    assert order == []
    identities.release("standup")
    await turn()
    assert order == ["first"]
    identities.release("standup")
    await asyncio.wait(tasks)
    assert order == ["first", "second"]
    identities.release("standup")
    assert identities.try_hold("standup")


@instantly
async def test_one_that_gives_up_waiting_leaves_its_turn_to_the_next() -> None:
    identities = Identities()
    await identities.hold("standup")
    given_up, next_one = (asyncio.create_task(identities.hold("standup")) for _ in range(2))
    await turn()
    identities.release("standup")
    given_up.cancel()  # its turn has come, but it does not know yet
    with suppress(asyncio.CancelledError):
        await given_up
    await next_one
    identities.release("standup")
    assert identities.try_hold("standup")
