"""Phases of a batch: its tries, all known on its arrival. salesforce_bulk.md §7, §9.

arrived ─ queued ─┬─ in progress ─► ended
                  └─ 5 minutes ─► put back ─ queued ─ in progress ... at most 10 tries (queries 15), then Failed
"""

import math
from typing import Literal

import msgspec

TRY_S = 300.0
"""Length of a try; a batch that takes longer is put back. §7 [docs]"""
LOAD_TRIES = 10
QUERY_TRIES = 15
"""§7 [docs]"""


class Phases(msgspec.Struct, frozen=True, kw_only=True):
    """Spans in which a batch is in progress, in seconds since 1970, and the share of its work that they complete."""

    tries: tuple[tuple[float, float], ...]
    done_share: float = 1.0

    @property
    def starts_at(self) -> float:
        return self.tries[0][0]

    @property
    def ends_at(self) -> float:
        return self.tries[-1][1]

    @property
    def busy_s(self) -> float:
        return sum(end - start for start, end in self.tries)

    def state(self, now: float) -> Literal["Queued", "InProgress"]:
        return "InProgress" if any(start <= now < end for start, end in self.tries) else "Queued"

    def retries(self, now: float) -> int:
        """Count how often the batch has been put back by now."""
        return sum(end <= now for _, end in self.tries[:-1])


def plan(starts_at: float, *, queued_s: float, work_s: float, max_tries: int) -> Phases:
    """Return the tries of a batch that leaves the queue at ``starts_at`` and takes ``work_s``. Work done is kept."""
    needed = max(1, math.ceil(work_s / TRY_S))
    tries = []
    for number in range(min(needed, max_tries)):
        span = min(TRY_S, work_s - number * TRY_S)
        tries.append((starts_at, starts_at + span))
        starts_at += span + queued_s
    return Phases(tries=tuple(tries), done_share=1.0 if needed <= max_tries else max_tries * TRY_S / work_s)
