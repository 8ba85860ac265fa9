"""Command ``python -m sandbox blueconic``: serve one BlueConic tenant until it is stopped."""

from functools import partial

import click
import msgspec

from sandbox.blueconic.event_types import EventType
from sandbox.blueconic.settings import GroupType, Settings
from sandbox.blueconic.vendor import BlueConic
from sandbox.serving.command import Serving, serving_options, setting

_setting = partial(setting, Settings())


@click.command()
@serving_options(Settings)
@_setting("--client-id", "client_id")
@_setting("--client-secret", "client_secret")
@_setting("--redirect-uri", "redirect_uri", "Registers the application for the authorization code flow, too.")
@_setting("--token-lifetime", "token_lifetime_s", "Seconds.")
@_setting("--max-concurrent", "max_concurrent", "Bulk calls before 429.")
@click.option("--group-type", "groups", multiple=True, metavar="NAME", help="Another group type; repeatable.")
@click.option("--event-type", "events", multiple=True, metavar="NAME", help="Another timeline event type; repeatable.")
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
@_setting("--max-body-bytes", "max_body_bytes", "A proxy's cap on bulk bodies: 413 beyond it.", least=1)
@_setting("--retry-after", "retry_after_s", "Seconds to send with 429.", least=0)
@click.option("--read-lag", "read_lag_s", default=0.0, help="Seconds until reads see a write.")
def blueconic(
    serving: Serving,
    settings: Settings,
    *,
    groups: tuple[str, ...],
    events: tuple[str, ...],
    unique: tuple[str, ...],
    defined: tuple[str, ...],
) -> None:
    """Serve a stand-in for the BlueConic REST API v2."""
    group_types = (GroupType(id=name, name=name, plural_name=name) for name in groups)
    settings = msgspec.structs.replace(
        settings,
        group_types=(*settings.group_types, *group_types),
        event_types=(*settings.event_types, *(EventType(id=name, name=name) for name in events)),
        unique_properties=settings.unique_properties | frozenset(unique),
        defined_properties=frozenset(defined) if defined else None,
    )
    vendor = BlueConic(settings, ledger=serving.make_ledger())
    serving.run(vendor, {"client_id": settings.client_id, "client_secret": settings.client_secret})
