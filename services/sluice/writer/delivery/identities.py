"""Identities that are under way: of items that must not be sent twice, one of each is with the vendor at a time.

Two alike at once could not be told apart after a lost answer. The order per key does not see to that: such items are
often inserts without a key, in any lane.
"""

import asyncio
from collections import deque


class Identities:
    """The identities that batches of one process hold."""

    def __init__(self) -> None:
        self._held: dict[object, deque[asyncio.Future[None]]] = {}

    def try_hold(self, identity: object) -> bool:
        """Hold ``identity`` if nobody does."""
        if identity in self._held:
            return False
        self._held[identity] = deque()
        return True

    async def hold(self, identity: object) -> None:
        """Wait until nobody else holds ``identity``, first come, first served."""
        if self.try_hold(identity):
            return
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._held[identity].append(turn)
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                self.release(identity)
            raise

    def release(self, identity: object) -> None:
        """Let the next one hold ``identity``."""
        waiting = self._held[identity]
        while waiting:
            turn = waiting.popleft()
            if not turn.done():
                turn.set_result(None)
                return
        del self._held[identity]
