"""Command line ``python -m sandbox``: a subcommand for each vendor, for Kafka, and for the OTLP receiver."""

import click

from sandbox import all_command
from sandbox.kafka import command as kafka_command
from sandbox.otlp.command import otlp
from sandbox.vendors import VENDORS, list_vendors


def _list(context: click.Context, _: click.Parameter, is_asked: bool) -> None:
    if is_asked:
        for line in list_vendors():
            click.echo(line)
        context.exit()


@click.group()
@click.option(
    "--list",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_list,
    help="Show the vendors: name, address under `all`, what is covered, credentials.",
)
def main() -> None:
    """Stand-in vendor APIs and a local Kafka."""


for row in VENDORS:
    main.add_command(row.command)
main.add_command(all_command.command)
main.add_command(kafka_command.command)
main.add_command(otlp)

if __name__ == "__main__":
    main(prog_name="python -m sandbox")
