"""The demo's output: coloured and redrawn in place on a terminal, plain lines elsewhere."""

from collections.abc import Mapping
from typing import TextIO

from rich.console import Console, RenderableType
from rich.markup import escape
from rich.padding import Padding

_PLAIN_WIDTH = 120
_INDENT = 4


class Screen:
    """Prints everything that the demo shows."""

    def __init__(self, stream: TextIO) -> None:
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")  # a terminal that has no `►` shows `?`
        console = Console(file=stream, highlight=False, emoji=False)
        self.is_live = console.is_terminal and not console.is_dumb_terminal
        """True when printed text can be drawn over."""
        if not self.is_live:
            console = Console(
                file=stream, width=_PLAIN_WIDTH, force_terminal=False, no_color=True, highlight=False, emoji=False
            )
        self.console = console
        self._steps = 0

    def step(self, title: str) -> None:
        """Begin the next numbered step."""
        self._steps += 1
        self.console.print(f"\n[bold cyan]{self._steps}. {title}[/]")

    def fail(self, text: str) -> None:
        """Print the last line of a demo that could not go on."""
        self.print(f"[bold red]{escape(text)}[/]")

    def command(self, text: str) -> None:
        """Print a command that is being run, as a user would type it."""
        self.print(f"[bold]$ {text}[/]")

    def copyable(self, commands: Mapping[str, str]) -> None:
        """Print commands to copy, never broken into lines, each below its purpose."""
        for command, purpose in commands.items():
            self.print(f"[dim]# {purpose}[/]")
            self.console.print(f"{' ' * _INDENT}[bold]{escape(command)}[/]", soft_wrap=True)

    def print(self, what: RenderableType = "") -> None:
        """Print ``what``, indented; a string may hold rich's markup."""
        if self.is_live:
            self.console.print(Padding(what, (0, 0, 0, _INDENT), expand=False))
            return
        with self.console.capture() as captured:
            self.console.print(what, soft_wrap=isinstance(what, str))
        for line in captured.get().splitlines():
            self.console.out(f"{' ' * _INDENT}{line}".rstrip(), highlight=False)
