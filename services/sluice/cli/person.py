"""The person who runs a command, and the reason that they give."""

import getpass
import os

from sluice.cli.exits import CommandFailed, Exit


def user_name() -> str:
    """Return the name of the user who runs this process."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container's user may have no name
        return f"user {os.getuid()}"


def stated(reason: str, example: str) -> str:
    """Return ``reason`` without blanks around it. Raises ``CommandFailed`` for an empty one."""
    if not reason.strip():
        raise CommandFailed(f"expected a reason, got an empty one; say {example}", Exit.USAGE)
    return reason.strip()
