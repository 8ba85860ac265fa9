"""Command ``python -m sandbox kafka``: a local Kafka that runs as long as its parent process."""

import json
import os
import signal
import sys
import threading
import time
from pathlib import Path
from types import FrameType
from typing import Any, get_args

import click

from sandbox.kafka.broker import LocalKafkaError
from sandbox.kafka.cluster import LocalKafka
from sandbox.kafka.jars import DownloadError
from sandbox.kafka.security import Mechanism, Security


@click.command("kafka")
@click.option("--brokers", type=click.IntRange(1), default=1, show_default=True, help="Broker processes.")
@click.option(
    "--data",
    type=click.Path(file_okay=False, path_type=Path),
    help="Keep the data here for the next start; without it the data is removed at the end.",
)
@click.option("--port", type=click.IntRange(1, 65_535), help="Of the first broker; without it, a free one.")
@click.option("--heap-mb", type=click.IntRange(128), default=512, show_default=True, help="Of each broker.")
@click.option("--tls", is_flag=True, help="Add a listener with TLS, and print how to reach it.")
@click.option("--client-certificate", is_flag=True, help="With --tls: clients must show a certificate.")
@click.option("--sasl", type=click.Choice(get_args(Mechanism)), help="Add a listener with a login; also over --tls.")
@click.option("--set", "settings", multiple=True, metavar="KEY=VALUE", help="A broker setting of Kafka's own.")
@click.option("--json", "as_json", is_flag=True, help="Print a JSON object, with cluster id and process ids.")
def command(
    *,
    brokers: int,
    data: Path | None,
    port: int | None,
    heap_mb: int,
    tls: bool,
    client_certificate: bool,
    sasl: Mechanism | None,
    settings: tuple[str, ...],
    as_json: bool,
) -> None:
    """Run a real Apache Kafka and print its bootstrap address when it answers.

    Where a listener with TLS or a login is asked for, its block of Sluice's settings is printed, too. It ends on
    SIGTERM, on Ctrl-C, and when the process that started it ends.
    """
    if client_certificate and not tls:
        raise click.UsageError("--client-certificate is shown in TLS: add --tls")
    secured = [Security(tls=tls, client_certificate=client_certificate, sasl=sasl)] if tls or sasl else []
    for signum in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(signum, _exit)
    threading.Thread(target=_exit_with, args=(os.getppid(),), daemon=True).start()
    kafka = LocalKafka(
        brokers=brokers, data=data, port=port, heap_mb=heap_mb, secured=secured, settings=_parse(settings)
    )
    try:
        with kafka:
            blocks = [kafka.settings_block(one) for one in secured]
            if as_json:
                click.echo(_description(kafka, blocks))
            else:
                click.echo("\n".join([kafka.bootstrap_servers, *(f"kafka: {json.dumps(block)}" for block in blocks)]))
            while any(broker.running for broker in kafka.brokers):
                time.sleep(0.2)
            kafka.broker(0).check_alive()
    except (LocalKafkaError, DownloadError) as error:
        raise click.ClickException(str(error)) from error


def _description(kafka: LocalKafka, secured: list[dict[str, Any]]) -> str:
    return json.dumps(
        {
            "bootstrap_servers": kafka.bootstrap_servers,
            "cluster_id": kafka.cluster_id,
            "pids": [broker.pid for broker in kafka.brokers],
            "logs": [str(broker.log_file) for broker in kafka.brokers],
            "secured": secured,
        }
    )


def _parse(settings: tuple[str, ...]) -> dict[str, str]:
    parsed = {}
    for setting in settings:
        name, equals, value = setting.partition("=")
        if not equals:
            raise click.BadParameter(f"expected KEY=VALUE, got {setting!r}", param_hint="--set")
        parsed[name.strip()] = value.strip()
    return parsed


def _exit(signum: int, _frame: FrameType | None) -> None:
    signal.signal(signum, signal.SIG_IGN)  # a second signal must not interrupt the shutdown
    sys.exit(0)


def _exit_with(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(0.2)
    os.kill(os.getpid(), signal.SIGTERM)
