"""What the demo says, and how: in colour and in place on a terminal, in plain lines elsewhere."""

import sys
import time
from typing import TextIO

from rich.console import Console, RenderableType
from rich.markup import escape
from rich.padding import Padding

_PLAIN_WIDTH = 120
_INDENT = 4


class Screen:
    """The one place that prints."""

    def __init__(self, stream: TextIO) -> None:
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")  # a terminal that has no `►` shows `?`
        console = Console(file=stream, highlight=False, emoji=False)
        self.is_live = console.is_terminal and not console.is_dumb_terminal
        """Whether something can be drawn over."""
        self.console = console if self.is_live else _plain(stream)
        self._steps = 0
        self._started_at_s = time.monotonic()

    @property
    def elapsed_s(self) -> float:
        """Since the demo began."""
        return time.monotonic() - self._started_at_s

    def title(self, text: str) -> None:
        """The first line."""
        self.console.print(f"[bold]{text}[/]")

    def step(self, title: str) -> None:
        """The next chapter."""
        self._steps += 1
        self.console.print(f"\n[bold cyan]{self._steps}. {title}[/]")
        self.console.file.flush()

    def tell(self, text: str) -> None:
        """One line of it; ``text`` may hold rich's markup."""
        self.show(text)

    def gap(self) -> None:
        """An empty line."""
        self.console.print()
        self.console.file.flush()

    def fail(self, text: str) -> None:
        """The last line when there is no other end."""
        self.show(f"[bold red]{escape(text)}[/]")

    def command(self, text: str) -> None:
        """A command that is being run, as a user would type it."""
        self.show(f"[bold]$ {text}[/]")

    def copyable(self, text: str) -> None:
        """A command to copy: never broken into lines."""
        self.console.print(f"{' ' * _INDENT}[bold]{escape(text)}[/]", soft_wrap=True)

    def show(self, what: RenderableType) -> None:
        """Anything, indented."""
        if self.is_live:
            self.console.print(Padding(what, (0, 0, 0, _INDENT), expand=False))
            return
        with self.console.capture() as captured:
            self.console.print(what, soft_wrap=isinstance(what, str))
        lines = "".join(f"{' ' * _INDENT}{line}".rstrip() + "\n" for line in captured.get().splitlines())
        self.console.file.write(lines)
        self.console.file.flush()


def _plain(stream: TextIO) -> Console:
    return Console(file=stream, width=_PLAIN_WIDTH, force_terminal=False, no_color=True, highlight=False, emoji=False)


def stdout_screen() -> Screen:
    """The screen on standard output."""
    return Screen(sys.stdout)
