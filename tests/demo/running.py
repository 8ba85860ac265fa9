"""The demo as a process, as a user starts it."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def demo(*options: str) -> Iterator["subprocess.Popen[str]"]:
    """Run ``python -m demo`` with its standard output in a pipe."""
    command = [sys.executable, "-m", "demo", *options]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    try:
        yield process
    finally:
        process.kill()
        process.wait()
