"""``sluice check``: checks a deployment in the order in which it would fail."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import NamedTuple

import click

from sluice.cli.exits import Exit
from sluice.cli.terminal import counted
from sluice.client.connection import connect
from sluice.destinations import open_destination
from sluice.destinations.contract import BatchError
from sluice.kafka.clients import KafkaUnreachable
from sluice.kafka.partitioner import ADVICE, find_misplaced
from sluice.kafka.topic_admin import TopicsError, admin_client, partition_count, topic_states
from sluice.kafka.topic_reader import TopicReader
from sluice.settings import Settings, load_settings
from sluice.settings_file import SettingsError


class Finding(NamedTuple):
    """One line of the answer; ``code`` is the exit code where the check failed."""

    text: str
    code: Exit = Exit.OK
    is_warning: bool = False
    """Something that a person should look at, and that is no reason not to start."""


@click.command(short_help="Check settings, Kafka, topics and destinations.")
@click.argument("destination", required=False)
@click.pass_obj
def check(config: str, destination: str | None) -> None:
    """Check the settings, Kafka, the topics, and that each destination, or only DESTINATION, accepts the credentials.

    Each stage is checked completely; the next stage begins only when the whole stage has passed.
    """
    try:
        settings = load_settings(Path(config))
        names = list(settings.destinations) if destination is None else [destination]
        for name in names:
            settings.destination(name)
    except SettingsError as error:
        _print(Finding(f"settings: {error}", Exit.SETTINGS))
        raise click.exceptions.Exit(Exit.SETTINGS) from error
    _print(Finding(f"settings: {config} is valid, with the destinations {', '.join(names)}"))
    asyncio.run(_check(settings, names))


async def _check(settings: Settings, names: Sequence[str]) -> None:
    for stage in (_kafka(settings), _topics(settings, names), _destinations(settings, names)):
        failed = Exit.OK
        async for finding in stage:
            _print(finding)
            failed = failed or finding.code
        if failed:
            raise click.exceptions.Exit(failed)


async def _kafka(settings: Settings) -> AsyncIterator[Finding]:
    servers = settings.kafka.bootstrap_servers
    try:
        async with admin_client(settings.kafka) as admin:
            brokers = (await admin.describe_cluster())["brokers"]
    except KafkaUnreachable as error:
        yield Finding(f"Kafka: {error}", Exit.KAFKA)
    else:
        yield Finding(f"Kafka: {counted(len(brokers), 'broker')} at {servers}")


async def _topics(settings: Settings, names: Sequence[str]) -> AsyncIterator[Finding]:
    async with admin_client(settings.kafka) as admin:
        for name in names:
            topics = connect(settings).topics(name).all
            try:
                count = partition_count(await topic_states(admin, topics), name)
            except TopicsError as error:
                yield Finding(f"topics of {name}: {error}", Exit.TOPICS)
            else:
                yield Finding(f"topics of {name}: {len(topics)} with {count} partitions each")
                async for finding in _partitioners(settings, name, count):
                    yield finding


async def _partitioners(settings: Settings, name: str, partitions: int) -> AsyncIterator[Finding]:
    """Look whether the newest records stand where murmur2 puts them."""
    topic = connect(settings).topics(name).records
    async with TopicReader(settings.kafka) as reader:
        misplaced = await find_misplaced(reader, topic, partitions)
    if misplaced:
        first = misplaced[0]
        place = f"such as {first.partition}/{first.offset}"
        text = f"records of {name}: {counted(len(misplaced), 'record')} of the newest on a wrong partition, {place}: "
        yield Finding(text + ADVICE, is_warning=True)


async def _destinations(settings: Settings, names: Sequence[str]) -> AsyncIterator[Finding]:
    for name in names:
        account = settings.destination(name).account
        destination = open_destination(account)
        try:
            answer = await destination.check()
        except BatchError as error:
            yield Finding(f"destination {name}: {account.url} cannot be used: {error}", Exit.DESTINATION)
        else:
            yield Finding(f"destination {name}: {answer}")
        finally:
            await destination.aclose()


def _print(finding: Finding) -> None:
    mark = click.style("✗", fg="red") if finding.code else click.style("✓", fg="green")
    if finding.is_warning:
        mark = click.style("!", fg="yellow")
    click.echo(f"{mark} {finding.text}", err=finding.code != Exit.OK or finding.is_warning)
