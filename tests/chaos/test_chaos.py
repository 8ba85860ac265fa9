"""A short part of ``python -m tests.chaos``, with fixed seeds and one broker: no harm breaks a promise."""

import asyncio

from tests.chaos.round import play
from tests.support.kafka_admin import RunningKafka

RECORDS = 250
PLAYED = {"kill-unanswered": 1, "kill-committing": 2, "still-written": 3, "everything": 4}
"""Harms and their seeds. At the same time, since most of a round is waiting: for a session to end, for a proof."""


async def test_no_harm_breaks_a_promise(kafka: RunningKafka) -> None:
    rounds = [play(kafka.bootstrap_servers, (), harm, seed, RECORDS) for harm, seed in PLAYED.items()]
    results = await asyncio.gather(*rounds)
    assert {result.harm: (result.verdict, result.kept) for result in results} == dict.fromkeys(PLAYED, ("clean", None))
    assert [result.receipts for result in results] == [RECORDS] * len(PLAYED)
