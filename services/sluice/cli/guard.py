"""``sluice guard``: whether the flood guard has stopped a destination's writers, and how to let them go on."""

import asyncio
import getpass
import os

import click
import msgspec

from sluice.cli.exits import CommandFailed, Exit
from sluice.client.connection import connect
from sluice.events import ControlEvent
from sluice.kafka.control_topic import read_guard, set_guard
from sluice.kafka.settings import KafkaSettings
from sluice.kafka.topic_admin import admin_client, partition_count, topic_states


@click.group()
def guard() -> None:
    """See and resume what the flood guard has stopped.

    It stops a destination's writers when too many recent records became dead letters, so that a renamed field does
    not take all of them there. They keep their place and deliver nothing until a person resumes them.
    """


@guard.command()
@click.argument("destination")
@click.option("--json", "as_json", is_flag=True, help="Print the state as one JSON object.")
@click.pass_obj
def show(config: str, destination: str, as_json: bool) -> None:
    """Print whether DESTINATION is delivered to, and since when, why and by whom if not."""
    kafka, topic = asyncio.run(_control(config, destination))
    state = asyncio.run(read_guard(kafka, topic))
    if as_json:
        click.echo(msgspec.json.encode(state or {"guard": "running"}))
    elif state is None:
        click.echo(f"running: the flood guard of {destination} has never stopped anything")
    else:
        click.secho(f"{state.guard} since {_since(state)}", fg="red" if state.guard == "stopped" else "green")
        click.echo(f"why  {state.reason}\nby   {state.by}")
        if state.guard == "stopped":
            click.echo(
                f"nothing is lost, and nothing is delivered. `sluice dead count {destination}` shows what became dead "
                f"letters; then: sluice guard resume {destination} --reason TEXT"
            )


@guard.command()
@click.argument("destination")
@click.option("--reason", metavar="TEXT", required=True, help="Why it is safe to go on; writers log it.")
@click.pass_obj
def resume(config: str, destination: str, reason: str) -> None:
    """Let the writers of DESTINATION go on after the flood guard has stopped them."""
    if not reason.strip():
        raise CommandFailed("expected a reason, got an empty one; say why it is safe to go on", Exit.USAGE)
    kafka, topic = asyncio.run(_control(config, destination))
    before = asyncio.run(read_guard(kafka, topic))
    if before is None or before.guard == "running":
        click.echo(f"{destination} is not stopped; nothing was changed")
        return
    asyncio.run(set_guard(kafka, topic, "running", reason=reason.strip(), by=_user()))
    click.echo(
        f"resumed {destination}, stopped since {_since(before)}: {before.reason}\n"
        "its writers go on within a second, from where they stopped, and the guard counts anew; what became dead "
        f"letters stays there: `sluice dead redrive {destination}` sends it again"
    )


async def _control(config: str, destination: str) -> tuple[KafkaSettings, str]:
    connection = connect(config)
    topic = connection.topics(destination).control
    async with admin_client(connection.kafka) as admin:
        partition_count(await topic_states(admin, [topic]), destination)
    return connection.kafka, topic


def _since(state: ControlEvent) -> str:
    return f"{state.at.astimezone():%Y-%m-%d %H:%M:%S}"


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container's user may have no name
        return f"user {os.getuid()}"
