"""Command ``python -m sandbox otlp``: receive traces until it is stopped."""

import json

import click

from sandbox.otlp.receiver import OtlpReceiver
from sandbox.serving.app import App
from sandbox.serving.server import run


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", type=click.IntRange(0, 65535), default=0, help="0, the default, takes a free port.")
@click.option("--json", "as_json", is_flag=True, help="Print the address as a JSON object.")
def otlp(host: str, port: int, as_json: bool) -> None:
    """Receive traces over OTLP/HTTP and show them as JSON."""

    def announce(url: str) -> None:
        click.echo(json.dumps({"sandbox": "otlp", "url": url}) if as_json else f"otlp {url}")

    run(App(OtlpReceiver()), host=host, port=port, announce=announce)
