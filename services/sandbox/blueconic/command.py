"""Command ``python -m sandbox blueconic``: serve one BlueConic tenant until it is stopped."""

from functools import partial

import click
import msgspec

from sandbox.blueconic.event_types import EventType
from sandbox.blueconic.settings import GroupType, Segment, Settings
from sandbox.blueconic.vendor import BlueConic
from sandbox.serving.command import Serving, serving_options, setting

_setting = partial(setting, Settings())


class _Segments(click.ParamType):
    name = "segment"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> Segment:
        name, _, rest = value.partition(":")
        if not name or not rest:
            self.fail(f"expected ID:PROPERTY=VALUE or ID:PROFILE[,PROFILE...], got {value!r}", param, ctx)
        wanted, is_filter, found = rest.partition("=")
        if is_filter:
            return Segment(id=name, property=wanted, value=found)
        return Segment(id=name, profiles=frozenset(rest.split(",")))


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
@click.option(
    "--segment",
    "segments",
    multiple=True,
    type=_Segments(),
    metavar="ID:PROPERTY=VALUE|ID:PROFILE[,PROFILE...]",
    help="A segment, by a property or by profiles; repeatable.",
)
@_setting("--page-items", "page_items", "Rows of a listing's page without count.", least=1)
@_setting("--list-by-modification", "lists_by_modification", "Listings are in the order of modification.")
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
