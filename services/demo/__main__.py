"""``python -m demo``: the main job from end to end, with real data on a real Kafka, shown on the screen.

The exit codes are those of ``--help``, and 130 when it is interrupted.
"""

import asyncio
import signal
import sys

import click

from demo.processes import DemoFailed, set_inherited_variables
from demo.scenario import Scenario
from demo.screen import Screen
from demo.stories import STORIES, Choices
from sluice import KafkaUnreachable, PublishError


class _Vendors(click.Choice[str]):
    """Choice of a vendor; the sandbox writes some names with hyphens."""

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        return super().convert(value.replace("-", "_"), param, ctx)


@click.command(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.option(
    "--vendor", type=_Vendors(list(STORIES)), default="blueconic", show_default=True, help="Whom to carry to."
)
@click.option(
    "--api", type=click.Choice(["1.0", "2.0"]), help="salesforce: which version of its Bulk API.  [default: 1.0]"
)
@click.option(
    "--records",
    "--airports",
    type=click.IntRange(100),
    metavar="N",
    help="Only N airports, players, vulnerabilities or orders.",
)
@click.option(
    "--outage-s", type=click.FloatRange(1), default=5.0, show_default=True, help="How long the vendor is down."
)
@click.option("--keep", is_flag=True, help="Leave everything running until Ctrl-C, and print commands to try.")
def main(*, vendor: str, api: str | None, records: int | None, outage_s: float, keep: bool) -> None:
    """Carry real data through a real Kafka into a stand-in vendor, break things on the way, count the receipts.

    Exit code 0 when every record has exactly one receipt and the vendor agrees, 1 when not, 2 when the demo cannot run.
    """
    if api and vendor != "salesforce":
        raise click.UsageError("--api chooses an API of Salesforce: add --vendor salesforce, or leave it out")
    set_inherited_variables()
    screen = Screen(sys.stdout)
    story = STORIES[vendor](Choices(records=records, outage_s=outage_s, api=api or "1.0"))
    options = [] if vendor == "blueconic" else ["--vendor", vendor, *(["--api", api] if api else [])]
    try:
        sys.exit(0 if asyncio.run(_run(Scenario(screen, story, options=options, keep=keep))) else 1)
    except (DemoFailed, KafkaUnreachable, PublishError) as error:
        screen.fail(f"the demo cannot go on: {error}")
        sys.exit(2)
    except (KeyboardInterrupt, asyncio.CancelledError):
        screen.fail("interrupted; everything that was started is stopped")
        sys.exit(130)


async def _run(scenario: Scenario) -> bool:
    """Run ``scenario``; SIGTERM and SIGHUP stop everything in order, as Ctrl-C does."""
    running = asyncio.create_task(scenario.run())
    for number in (signal.SIGTERM, signal.SIGHUP):
        asyncio.get_running_loop().add_signal_handler(number, running.cancel)
    return await running


if __name__ == "__main__":
    main(prog_name="python -m demo")
