"""`python -m sandbox`: what stands in for the world around Sluice."""

import click

from sandbox import kafka_command
from sandbox.blueconic.command import blueconic
from sandbox.otlp.command import otlp
from sandbox.salesforce.command import salesforce


@click.group()
def main() -> None:
    """Stand-in vendor APIs and a local Kafka."""


main.add_command(kafka_command.command)
main.add_command(blueconic)
main.add_command(otlp)
main.add_command(salesforce)

if __name__ == "__main__":
    main(prog_name="python -m sandbox")
