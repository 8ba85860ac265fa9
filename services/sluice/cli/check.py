"""``sluice check``: whether a deployment can work, in the order in which it would fail."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import NamedTuple

import click

from sluice.cli.exits import Exit
from sluice.client.connection import connect
from sluice.destinations import open_destination
from sluice.destinations.contract import BatchError
from sluice.kafka.clients import KafkaUnreachable
from sluice.kafka.topic_admin import TopicsError, admin_client, partition_count, topic_states
from sluice.settings import Settings, load_settings
from sluice.settings_file import SettingsError


class Finding(NamedTuple):
    """One line of the answer."""

    passed: bool
    text: str
    code: Exit = Exit.OK


@click.command(short_help="Check settings, Kafka, topics and destinations.")
@click.argument("destination", required=False)
@click.pass_obj
def check(config: str, destination: str | None) -> None:
    """Check the settings, Kafka, the topics, and that each destination (or only DESTINATION) lets us in.

    Everything of one stage is checked; the next stage begins when all of it is well.
    """
    try:
        settings = load_settings(Path(config))
        names = list(settings.destinations) if destination is None else [destination]
        for name in names:
            settings.destination(name)
    except SettingsError as error:
        _end(Finding(False, f"settings: {error}", Exit.SETTINGS))
    else:
        _say(Finding(True, f"settings: {config} is valid, with the destinations {', '.join(names)}"))
        asyncio.run(_check(settings, names))


async def _check(settings: Settings, names: Sequence[str]) -> None:
    for stage in (_kafka(settings), _topics(settings, names), _destinations(settings, names)):
        failed = None
        async for finding in stage:
            _say(finding)
            failed = failed or (None if finding.passed else finding)
        if failed is not None:
            raise click.exceptions.Exit(failed.code)


async def _kafka(settings: Settings) -> AsyncIterator[Finding]:
    servers = settings.kafka.bootstrap_servers
    try:
        async with admin_client(settings.kafka) as admin:
            brokers = (await admin.describe_cluster())["brokers"]
    except KafkaUnreachable as error:
        yield Finding(False, f"Kafka: {error}", Exit.KAFKA)
    else:
        yield Finding(True, f"Kafka: {len(brokers)} broker{'s'[: len(brokers) > 1]} at {servers}")


async def _topics(settings: Settings, names: Sequence[str]) -> AsyncIterator[Finding]:
    async with admin_client(settings.kafka) as admin:
        for name in names:
            topics = connect(settings).topics(name).all
            try:
                count = partition_count(await topic_states(admin, topics), name)
            except TopicsError as error:
                yield Finding(False, f"topics of {name}: {error}", Exit.TOPICS)
            else:
                yield Finding(True, f"topics of {name}: {len(topics)} with {count} partitions each")


async def _destinations(settings: Settings, names: Sequence[str]) -> AsyncIterator[Finding]:
    for name in names:
        account = settings.destination(name).account
        destination = open_destination(account)
        try:
            answer = await destination.check()
        except BatchError as error:
            yield Finding(False, f"destination {name}: {account.url} does not let us in: {error}", Exit.DESTINATION)
        else:
            yield Finding(True, f"destination {name}: {answer}")
        finally:
            await destination.aclose()


def _say(finding: Finding) -> None:
    mark = click.style("✓", fg="green") if finding.passed else click.style("✗", fg="red")
    click.echo(f"{mark} {finding.text}", err=not finding.passed)


def _end(finding: Finding) -> None:
    _say(finding)
    raise click.exceptions.Exit(finding.code)
