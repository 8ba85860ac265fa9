"""A short part of ``python -m tests.chaos``, with fixed seeds and one broker: no harm breaks a promise."""

import asyncio
from collections.abc import Mapping, Sequence

import pytest

from tests.chaos.bloom_growth import BLOOM_GROWTH
from tests.chaos.cast import BLUECONIC, Cast
from tests.chaos.liquid_decisions import LIQUID_DECISIONS
from tests.chaos.round import play
from tests.chaos.salesforce import BULK1, BULK2
from tests.support.kafka_admin import RunningKafka

RECORDS = 250
SECONDS = 300
"""A round ends by itself, and says what is missing."""
PLAYED = {"kill-unanswered": 1, "kill-committing": 2, "still-written": 3, "everything": 4}
"""Harms and their seeds. At the same time, since most of a round is waiting: for a session to end, for a proof."""

PLAYED_WITH_JOBS = {"kill-unanswered": 1, "kill-collected": 2, "rolling-restart": 3, "aborted-by-us": 4}

PLAYED_ITEM_BY_ITEM = {"kill-named": 1, "lost-and-killed": 2, "late-requests": 3, "everything": 4}

PLAYED_ON_TWO_ROADS = {"kill-unanswered": 1, "lost-submits": 2, "cancelled-by-us": 3, "everything": 4}


@pytest.mark.timeout(SECONDS)
async def test_no_harm_breaks_a_promise(kafka: RunningKafka) -> None:
    await _are_clean(kafka, PLAYED, [BLUECONIC])


@pytest.mark.timeout(SECONDS)
async def test_no_harm_breaks_a_promise_of_vendor_jobs(kafka: RunningKafka) -> None:
    await _are_clean(kafka, PLAYED_WITH_JOBS, [BULK1, BULK2])


@pytest.mark.timeout(SECONDS)
async def test_no_harm_breaks_a_promise_of_a_vendor_without_a_bulk_endpoint(kafka: RunningKafka) -> None:
    await _are_clean(kafka, PLAYED_ITEM_BY_ITEM, [BLOOM_GROWTH])


@pytest.mark.timeout(SECONDS)
async def test_no_harm_breaks_a_promise_of_a_vendor_with_upserts_and_imports(kafka: RunningKafka) -> None:
    await _are_clean(kafka, PLAYED_ON_TWO_ROADS, [LIQUID_DECISIONS])


async def _are_clean(kafka: RunningKafka, played: Mapping[str, int], casts: Sequence[Cast]) -> None:
    rounds = [
        play(kafka.bootstrap_servers, (), harm, seed, RECORDS, cast=casts[seed % len(casts)])
        for harm, seed in played.items()
    ]
    results = await asyncio.gather(*rounds)
    assert {result.harm: (result.verdict, result.kept) for result in results} == dict.fromkeys(played, ("clean", None))
    assert [result.receipts for result in results] == [RECORDS] * len(played)
