"""``python -m tests.chaos.writer``: the real writer, which can be told at which point to die, or to stand still.

It sends itself the signal at the n-th time it passes a point, or some milliseconds after: a request is out then
whose answer is not here, or a transaction is being committed.
"""

import os
import signal
import threading
from pathlib import Path

import click

from sluice import wall_clock
from sluice.writer import kill_points
from sluice.writer.__main__ import run
from sluice.writer.kill_points import KillPoint


@click.command()
@click.option("--destination", required=True)
@click.option("--config", type=click.Path(path_type=Path), required=True)
@click.option("--at", type=click.Choice([point.value for point in KillPoint]))
@click.option("--signal", "signal_", type=click.Choice(["KILL", "STOP"]), default="KILL", show_default=True)
@click.option("--times", default=1, show_default=True, help="How often the point is passed before.")
@click.option("--later-ms", default=0, show_default=True, help="How long after that.")
@click.option("--clock-ahead-s", default=0.0, show_default=True, help="How much the clock is ahead of the others'.")
def main(
    *, destination: str, config: Path, at: str | None, signal_: str, times: int, later_ms: int, clock_ahead_s: float
) -> None:
    """Deliver the records of one destination until told to stop, or until the moment has come."""
    wall_clock.shift(clock_ahead_s)
    signum = signal.Signals[f"SIG{signal_}"]
    left = times

    def hook(point: KillPoint) -> None:
        nonlocal left
        if point != at:
            return
        left -= 1
        if left == 0 and later_ms:
            threading.Timer(later_ms / 1000, os.kill, (os.getpid(), signum)).start()
        elif left == 0:
            os.kill(os.getpid(), signum)

    kill_points.listen(hook)
    run(destination, config)


if __name__ == "__main__":
    main()
