"""Run a command that ends with the process that asked for it.

    leash.py [--remove DIR] LOG COMMAND...

The command writes to the file LOG; its process id is printed on standard output. The owner holds the other end of this
process's standard input. When the owner dies, in whatever way, that end closes; then this process kills the command and
removes DIR (its temporary data). When this process is killed, Linux kills the command.

A separate process is needed because the kernel's parent-death signal follows the *thread* that started a child: if an
owner started the command from a worker thread, the command would die with that thread. Only the standard library is
imported, for a fast start.
"""

import argparse
import ctypes
import os
import select
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

_PR_SET_PDEATHSIG = 1  # linux/prctl.h


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--remove", type=Path)
    parser.add_argument("log", type=Path)
    parser.add_argument("command", nargs=argparse.REMAINDER)
    options = parser.parse_args()

    with options.log.open("ab") as log:
        command = subprocess.Popen(
            options.command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, preexec_fn=_parent_death_signal()
        )
    sys.stdout.write(f"{command.pid}\n")
    sys.stdout.flush()
    owner_died = threading.Event()
    threading.Thread(target=_kill_without_owner, args=(command, owner_died, os.getppid()), daemon=True).start()
    status = command.wait()
    if owner_died.is_set() and options.remove:
        shutil.rmtree(options.remove, ignore_errors=True)
    return status if status >= 0 else 128 - status


def _parent_death_signal() -> Callable[[], None] | None:
    if sys.platform != "linux":
        return None
    # Loaded before the fork: between fork and exec only the call itself is safe.
    prctl = ctypes.CDLL(None).prctl
    return lambda: prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def _kill_without_owner(command: "subprocess.Popen[bytes]", owner_died: threading.Event, owner: int) -> None:
    # The pipe closes when the owner dies, unless a forked sibling of the owner keeps it open; so check its id too.
    while os.getppid() == owner:
        readable, _, _ = select.select([sys.stdin], [], [], 0.5)
        if readable:
            break
    owner_died.set()
    command.kill()


if __name__ == "__main__":
    sys.exit(main())
