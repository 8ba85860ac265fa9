"""Parts of ``python -m sandbox NAME`` that all vendors share: address, ledger and output."""

import json
from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any, TypeVar

import click
import msgspec

from sandbox.ledger.ledger import Ledger, Mode
from sandbox.serving.app import App
from sandbox.serving.server import run
from sandbox.vendor import Vendor

Kind = TypeVar("Kind", bound=msgspec.Struct)


class Serving(msgspec.Struct, frozen=True, kw_only=True):
    """Options of the command line that say how to serve a vendor."""

    host: str
    port: int
    as_json: bool
    ledger: Mode = "full"
    ledger_entries: int = 5_000_000

    def make_ledger(self) -> Ledger:
        return Ledger(mode=self.ledger, max_entries=self.ledger_entries)

    def run(self, vendor: Vendor, credentials: Mapping[str, str]) -> None:
        """Serve ``vendor`` until it is stopped. Print its address first, with ``--json`` the ``credentials`` too."""

        def announce(url: str) -> None:
            found = {"sandbox": vendor.name, "url": url, **credentials}
            click.echo(json.dumps(found) if self.as_json else f"{vendor.name} {url}")

        run(App(vendor), host=self.host, port=self.port, announce=announce)


_OPTIONS = (
    click.option("--host", default="127.0.0.1", show_default=True),
    click.option("--port", type=click.IntRange(0, 65535), default=0, help="0, the default, takes a free port."),
    click.option(
        "--ledger",
        type=click.Choice(["full", "counts"]),
        default="full",
        show_default=True,
        help="Keep every entry, or only counts.",
    ),
    click.option("--ledger-entries", default=5_000_000, show_default=True, help="Entries kept before the oldest go."),
    click.option("--json", "as_json", is_flag=True, help="Print the address and credentials as a JSON object."),
)


def serving_options(settings: type[msgspec.Struct]) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Make a decorator that adds the options that all vendors share.

    The command gets a ``Serving``, then the ``settings`` of the options named as its fields, then the other options.
    """

    def with_options(command: Callable[..., None]) -> Callable[..., None]:
        @wraps(command)
        def with_serving(**options: Any) -> None:
            command(_taken_from(options, Serving), _taken_from(options, settings), **options)

        for option in reversed(_OPTIONS):
            option(with_serving)
        return with_serving

    return with_options


def setting(
    defaults: msgspec.Struct, flag: str, field: str, help_text: str | None = None, *, least: int | None = None
) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Make an option for a field of the settings: of its type, and without the option as in ``defaults``."""
    default = getattr(defaults, field)
    is_flag = default is False
    return click.option(
        flag,
        field,
        type=None if least is None else click.IntRange(least),
        default=default,
        show_default=not is_flag,
        is_flag=is_flag,
        help=help_text,
    )


def _taken_from(options: dict[str, Any], kind: type[Kind]) -> Kind:
    return kind(**{name: options.pop(name) for name in kind.__struct_fields__ if name in options})
