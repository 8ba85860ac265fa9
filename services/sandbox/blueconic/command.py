"""Command ``python -m sandbox blueconic``: serve one BlueConic tenant until it is stopped."""

import click

from sandbox.blueconic.event_types import EventType
from sandbox.blueconic.settings import GroupType, Settings
from sandbox.blueconic.vendor import BlueConic
from sandbox.serving.command import Serving, serving_options

_DEFAULTS = Settings()


@click.command()
@serving_options
@click.option("--client-id", default=_DEFAULTS.client_id, show_default=True)
@click.option("--client-secret", default=_DEFAULTS.client_secret, show_default=True)
@click.option("--redirect-uri", help="Registers the application for the authorization code flow, too.")
@click.option("--token-lifetime", default=_DEFAULTS.token_lifetime_s, show_default=True, help="Seconds.")
@click.option("--max-concurrent", default=_DEFAULTS.max_concurrent, show_default=True, help="Bulk calls before 429.")
@click.option("--group-type", "group_types", multiple=True, metavar="NAME", help="Another group type; repeatable.")
@click.option(
    "--event-type", "event_types", multiple=True, metavar="NAME", help="Another timeline event type; repeatable."
)
@click.option(
    "--unique-property", "unique", multiple=True, metavar="ID", help="Another property to find profiles by; repeatable."
)
@click.option(
    "--defined-property",
    "defined",
    multiple=True,
    metavar="ID",
    help="Strict: the only properties there are; repeatable.",
)
@click.option("--max-body-bytes", type=click.IntRange(1), help="A proxy's cap on bulk bodies: 413 beyond it.")
@click.option("--retry-after", type=click.IntRange(0), help="Seconds to send with 429.")
@click.option("--read-lag", default=0.0, help="Seconds until reads see a write.")
def blueconic(
    serving: Serving,
    *,
    client_id: str,
    client_secret: str,
    redirect_uri: str | None,
    token_lifetime: int,
    max_concurrent: int,
    group_types: tuple[str, ...],
    event_types: tuple[str, ...],
    unique: tuple[str, ...],
    defined: tuple[str, ...],
    max_body_bytes: int | None,
    retry_after: int | None,
    read_lag: float,
) -> None:
    """Serve a stand-in for the BlueConic REST API v2."""
    settings = Settings(
        client_id=client_id,
        client_secret=client_secret,
        redirect_uri=redirect_uri,
        token_lifetime_s=token_lifetime,
        max_concurrent=max_concurrent,
        max_body_bytes=max_body_bytes,
        retry_after_s=retry_after,
        read_lag_s=read_lag,
        group_types=(
            *_DEFAULTS.group_types,
            *(GroupType(id=name, name=name, plural_name=name) for name in group_types),
        ),
        event_types=(*_DEFAULTS.event_types, *(EventType(id=name, name=name) for name in event_types)),
        unique_properties=_DEFAULTS.unique_properties | frozenset(unique),
        defined_properties=frozenset(defined) if defined else None,
    )
    vendor = BlueConic(settings, ledger=serving.make_ledger())
    serving.run(vendor, {"client_id": client_id, "client_secret": client_secret})
