"""`python -m sandbox`: what stands in for the world around Sluice."""

import click

from sandbox import kafka_command
from sandbox.bloom_growth.command import bloom_growth
from sandbox.blueconic.command import blueconic
from sandbox.liquid_decisions.command import liquid_decisions
from sandbox.otlp.command import otlp


@click.group()
def main() -> None:
    """Stand-in vendor APIs and a local Kafka."""


main.add_command(kafka_command.command)
main.add_command(bloom_growth)
main.add_command(blueconic)
main.add_command(liquid_decisions)
main.add_command(otlp)

if __name__ == "__main__":
    main(prog_name="python -m sandbox")
