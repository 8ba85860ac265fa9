"""Command ``python -m sandbox otlp``: receive traces until it is stopped."""

import click

from sandbox.otlp.receiver import OtlpReceiver
from sandbox.serving.command import Serving


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", type=click.IntRange(0, 65535), default=0, help="0, the default, takes a free port.")
@click.option("--json", "as_json", is_flag=True, help="Print the address as a JSON object.")
def otlp(host: str, port: int, as_json: bool) -> None:
    """Receive traces over OTLP/HTTP and show them as JSON."""
    Serving(host=host, port=port, as_json=as_json).run(OtlpReceiver(), {})
