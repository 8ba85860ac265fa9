"""``sluice topics``: makes and lists a destination's topics."""

import asyncio
from collections.abc import Sequence

import click

from sluice.client.connection import Connection, connect
from sluice.kafka.topic_admin import TopicState, admin_client, create_topics, partition_count, topic_states
from sluice.topics import catalogue

MAX_PARTITIONS = 10_000
"""Kafka 4 makes no more in one request; asked for billions, a broker runs out of memory and ends."""


@click.group()
def topics() -> None:
    """Make and list the topics of a destination."""


@topics.command()
@click.argument("destination")
@click.option(
    "--partitions",
    type=click.IntRange(1, MAX_PARTITIONS),
    metavar="N",
    help=f"Of each topic.  [default: as many as existing ones have, else {catalogue().partitions}]",
)
@click.option("--replication-factor", type=click.IntRange(1, 2**15 - 1), metavar="N", help="[default: the broker's]")
@click.pass_obj
def create(config: str, destination: str, partitions: int | None, replication_factor: int | None) -> None:
    """Make the topics of DESTINATION that are missing.

    Topics that exist stay as they are: a partition count never changes, because keys would move between partitions.
    """
    connection = connect(config)
    names = connection.topics(destination).all
    made = asyncio.run(_create(connection, destination, partitions, replication_factor))
    for state in made:
        click.echo(f"made    {state.name} with {state.partitions} partitions, {state.replication_factor} replicas")
    for name in names:
        if name not in {state.name for state in made}:
            click.echo(f"exists  {name}")


@topics.command()
@click.argument("destination")
@click.pass_obj
def ls(config: str, destination: str) -> None:
    """List the topics of DESTINATION, and check that they can be used together."""
    connection = connect(config)
    holds = _holds(connection, destination)
    states = asyncio.run(_states(connection, connection.topics(destination).all))
    width = max(len(state.name) for state in states)
    click.echo(f"{'topic':<{width}}  partitions  replicas  {'id':<22}  holds")
    for name, partitions, replicas, topic_id, _ in states:
        found = f"{partitions:>10}  {replicas:>8}  {topic_id}" if partitions else f"{'missing':>10}  {'':>8}  {'':>22}"
        click.echo(f"{name:<{width}}  {found}  {holds[name]}")
    partition_count(states, destination)


async def _create(
    connection: Connection, destination: str, partitions: int | None, replication_factor: int | None
) -> list[TopicState]:
    async with admin_client(connection.kafka) as admin:
        prefix = connection.topic_prefix
        return await create_topics(
            admin, destination, prefix, partitions=partitions, replication_factor=replication_factor
        )


async def _states(connection: Connection, names: Sequence[str]) -> list[TopicState]:
    async with admin_client(connection.kafka) as admin:
        return await topic_states(admin, names)


def _holds(connection: Connection, destination: str) -> dict[str, str]:
    return {
        connection.topic_prefix + topic.name.format(destination=destination): topic.holds
        for topic in catalogue().topics.values()
    }
