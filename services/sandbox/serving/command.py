"""Parts of ``python -m sandbox NAME`` that all vendors share: address, ledger and output."""

import json
from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any

import click
import msgspec

from sandbox.ledger.ledger import Ledger, Mode
from sandbox.serving.app import App
from sandbox.serving.server import run
from sandbox.vendor import Vendor


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


def serving_options(command: Callable[..., None]) -> Callable[..., None]:
    """Add the options that all vendors share to a command, which gets them as its first argument, a ``Serving``."""

    @wraps(command)
    def with_serving(**options: Any) -> None:
        shared = {name: options.pop(name) for name in Serving.__struct_fields__}
        command(Serving(**shared), **options)

    for option in reversed(_OPTIONS):
        option(with_serving)
    return with_serving
