"""``sluice guard``: shows whether the flood guard has stopped a destination's writers, and resumes them."""

import asyncio

import click
import msgspec

from sluice.cli.person import stated, user_name
from sluice.cli.terminal import local_time
from sluice.client.connection import connect
from sluice.kafka.control_topic import read_guard, set_guard
from sluice.kafka.settings import KafkaSettings
from sluice.kafka.topic_admin import admin_client, partition_count, topic_states


@click.group()
def guard() -> None:
    """Show and resume what the flood guard has stopped.

    The guard stops a destination's writers when too many recent records became dead letters, so that a renamed field
    does not turn all records into dead letters. Stopped writers keep their place and deliver nothing until a person
    resumes them.
    """


@guard.command()
@click.argument("destination")
@click.option("--json", "as_json", is_flag=True, help="Print the state as one JSON object.")
@click.pass_obj
def show(config: str, destination: str, as_json: bool) -> None:
    """Print whether delivery to DESTINATION is running or stopped, and since when, why and by whom."""
    kafka, topic = asyncio.run(_control(config, destination))
    state = asyncio.run(read_guard(kafka, topic))
    if as_json:
        click.echo(msgspec.json.encode(state or {"guard": "running"}))
    elif state is None:
        click.echo(f"running: the flood guard of {destination} has never stopped anything")
    else:
        click.secho(f"{state.guard} since {local_time(state.at)}", fg="red" if state.guard == "stopped" else "green")
        click.echo(f"why  {state.reason}\nby   {state.by}")
        if state.guard == "stopped":
            click.echo(
                f"nothing is lost, and nothing is delivered; `sluice dead count {destination}` shows the dead letters; "
                f"then: sluice guard resume {destination} --reason TEXT"
            )


@guard.command()
@click.argument("destination")
@click.option("--reason", metavar="TEXT", required=True, help="Why delivery can go on; writers log it.")
@click.pass_obj
def resume(config: str, destination: str, reason: str) -> None:
    """Resume the writers of DESTINATION that the flood guard has stopped."""
    reason = stated(reason, "why delivery can go on")
    kafka, topic = asyncio.run(_control(config, destination))
    before = asyncio.run(read_guard(kafka, topic))
    if before is None or before.guard == "running":
        click.echo(f"{destination} is not stopped; nothing was changed")
        return
    asyncio.run(set_guard(kafka, topic, "running", reason=reason, by=user_name()))
    click.echo(
        f"resumed {destination}, stopped since {local_time(before.at)}: {before.reason}\n"
        "its writers continue within a second where they stopped, and the guard counts from zero; the dead letters "
        f"stay where they are: `sluice dead redrive {destination}` sends them again"
    )


async def _control(config: str, destination: str) -> tuple[KafkaSettings, str]:
    connection = connect(config)
    topic = connection.topics(destination).control
    async with admin_client(connection.kafka) as admin:
        partition_count(await topic_states(admin, [topic]), destination)
    return connection.kafka, topic
