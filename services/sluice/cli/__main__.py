"""``sluice``, also as ``python -m sluice.cli``."""

import logging

import click

from sluice.cli.check import check
from sluice.cli.dead.command import dead
from sluice.cli.exits import HELP, Group
from sluice.cli.guard import guard
from sluice.cli.outcomes import outcomes
from sluice.cli.publish.command import publish
from sluice.cli.schema import schema
from sluice.cli.topics import topics
from sluice.client.connection import SETTINGS_FILE


@click.group(cls=Group, epilog=HELP, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 120})
@click.option(
    "--config",
    metavar="PATH",
    envvar="SLUICE_CONFIG",
    show_envvar=True,
    default=str(SETTINGS_FILE),
    show_default=True,
    help="The settings file.",
)
@click.version_option(package_name="sluice")
@click.pass_context
def sluice(ctx: click.Context, config: str) -> None:
    """Carry records from Kafka into SaaS systems, with a receipt for each."""
    # SLUICE_CONFIG is the one thing that is read from the environment beside what the settings file asks for.
    ctx.obj = config


for command in (check, outcomes, publish, schema, topics):
    sluice.add_command(command)
sluice.add_command(dead)
sluice.add_command(guard)


def main() -> None:
    """What is installed as ``sluice``."""
    logging.basicConfig(level=logging.WARNING, format="%(message)s")
    # The client logs each attempt to connect; what matters of it is raised, and told in one sentence.
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)
    logging.getLogger("opentelemetry").setLevel(logging.ERROR)
    sluice.main(prog_name="sluice")


if __name__ == "__main__":
    main()
