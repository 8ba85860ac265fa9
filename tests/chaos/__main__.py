"""``python -m tests.chaos --rounds 30 --seed 1``: a line a round, and a table at the end.

It ends with exit code 1 unless every round was clean.
"""

import asyncio
import logging
import random
import sys
import time
from collections import defaultdict
from collections.abc import Sequence

import click

from sandbox.kafka.cluster import LocalKafka
from sandbox.kafka.security import Security
from tests.chaos.bloom_growth import BLOOM_GROWTH
from tests.chaos.cast import BLUECONIC, Cast
from tests.chaos.liquid_decisions import LIQUID_DECISIONS
from tests.chaos.round import Result, play
from tests.chaos.salesforce import BULK1, BULK2

BROKERS = 3
SECURED = Security(tls=True, sasl="SCRAM-SHA-512", reauthenticate_ms=15_000)
"""How the writers reach Kafka in the rounds of every third seed."""
CASTS: dict[str, Sequence[Cast]] = {
    "blueconic": [BLUECONIC],
    "bloom_growth": [BLOOM_GROWTH],
    "liquid_decisions": [LIQUID_DECISIONS],
    "salesforce": [BULK1, BULK2],
}
"""The casts of each vendor; rounds take them in turn."""
SHOWN = 10
"""Violations of a round that are printed; all of them are kept."""


@click.command()
@click.option("--rounds", default=30, show_default=True)
@click.option("--seed", type=int, help="Of the first round, the next ones count up; a random one where left out.")
@click.option("--vendor", type=click.Choice(list(CASTS)), default="blueconic", show_default=True)
@click.option("--harm", help="Only this one.")
@click.option("--records", default=1000, show_default=True, help="Published in each round.")
@click.option("--brokers", default=BROKERS, show_default=True)
def main(rounds: int, seed: int | None, vendor: str, harm: str | None, records: int, brokers: int) -> None:
    """Do harm to writers that deliver, and audit what came of it."""
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)  # brokers are killed, and clients complain
    seed = random.randrange(1_000_000) if seed is None else seed
    casts = CASTS[vendor]
    harms = list(casts[0].harms)
    if harm is not None and harm not in harms:
        raise click.BadParameter(f"no harm {harm!r} for {vendor}; there are {', '.join(harms)}")
    results: list[Result] = []
    click.echo(f"{rounds} rounds from seed {seed}; real Kafka with {brokers} brokers, 3 writers")
    with LocalKafka(brokers=brokers, heap_mb=384, secured=[SECURED]) as kafka:
        for own_seed, name in enumerate(_names(rounds, seed, [harm] if harm else harms), start=seed):
            secured = kafka.settings_block(SECURED) if own_seed % 3 == 0 else None
            cast = casts[own_seed % len(casts)]
            playing = play(
                kafka.bootstrap_servers, kafka.brokers, name, own_seed, records, cast=cast, writers_kafka=secured
            )
            results.append(asyncio.run(playing))
            _report(len(results), results[-1], vendor)
    _table(results)
    sys.exit(any(result.violations for result in results))


def _names(rounds: int, seed: int, harms: Sequence[str]) -> Sequence[str]:
    """Every harm once before any comes again, in an order that the seed decides."""
    rng, names = random.Random(seed), list[str]()
    while len(names) < rounds:
        names += rng.sample(harms, len(harms))
    return names[:rounds]


def _report(number: int, result: Result, vendor: str) -> None:
    click.echo(
        f"{number:4}  {time.strftime('%H:%M:%S')}  seed {result.seed:<8} {result.harm:<19}"
        f"{result.records:6} records {result.receipts:6} receipts {result.seconds:6.1f} s "
        f"{result.peak_rss_bytes / 2**20:4.0f} MiB  {result.verdict}"
    )
    if not result.violations:
        return
    for kind, what in result.violations[:SHOWN]:
        click.echo(f"      {kind}: {what}")
    click.echo(f"      {len(result.violations)} violations; logs and evidence: {result.kept}")
    again = f"python -m tests.chaos --rounds 1 --vendor {vendor} --seed {result.seed} --harm {result.harm}"
    click.echo(f"      again: {again}")


def _table(results: Sequence[Result]) -> None:
    by_harm = defaultdict[str, list[Result]](list)
    for result in results:
        by_harm[result.harm].append(result)
    click.echo(f"\n{'harm':<20}{'rounds':>8}{'clean':>8}{'records':>10}{'receipts':>10}{'seconds':>10}")
    for name, rounds in [*sorted(by_harm.items()), ("all", list(results))]:
        clean = sum(not result.violations for result in rounds)
        records, receipts = sum(one.records for one in rounds), sum(one.receipts for one in rounds)
        seconds = sum(one.seconds for one in rounds)
        click.echo(f"{name:<20}{len(rounds):>8}{clean:>8}{records:>10}{receipts:>10}{seconds:>10.0f}")


if __name__ == "__main__":
    main()
