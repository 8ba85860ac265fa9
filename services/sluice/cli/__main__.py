"""``sluice``, also as ``python -m sluice.cli``."""

import logging

import click

from sluice.cli.check import check
from sluice.cli.dead.command import dead
from sluice.cli.exits import HELP, CommandGroup
from sluice.cli.guard import guard
from sluice.cli.outcomes import outcomes
from sluice.cli.publish.command import publish
from sluice.cli.schema import schema
from sluice.cli.topics import topics
from sluice.cli.vendor_jobs.command import vendor_jobs
from sluice.client.connection import SETTINGS_FILE


@click.group(
    cls=CommandGroup,
    commands=[check, dead, guard, outcomes, publish, schema, topics, vendor_jobs],
    epilog=HELP,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 120},
)
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
    # Beside SLUICE_CONFIG, only the variables that the settings file names are read from the environment.
    ctx.obj = config


def main() -> None:
    """Run the command line; installed as ``sluice``."""
    logging.basicConfig(level=logging.WARNING, format="%(message)s")
    # aiokafka logs each attempt to connect; the error that it raises in the end is printed as one sentence.
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)
    logging.getLogger("opentelemetry").setLevel(logging.ERROR)
    sluice.main(prog_name="sluice")


if __name__ == "__main__":
    main()
