"""``sluice schema``: prints the JSON Schemas of the settings file and of the events."""

import json

import click

from sluice.events import EVENTS
from sluice.spec.json_schemas import event_name, event_schema_name, schema_files

_EVENT_NAMES = [event_name(event) for event in EVENTS]


@click.group()
def schema() -> None:
    """Print JSON Schemas."""


@schema.command()
def settings() -> None:
    """Print the schema of the settings file, for editors and checks before a deployment."""
    click.echo(schema_files()["settings.schema.json"], nl=False)


@schema.command()
@click.argument("name", type=click.Choice(_EVENT_NAMES), required=False)
def events(name: str | None) -> None:
    """Print the schema of the event NAME, or the schemas of all events as one object, by name."""
    files = schema_files()
    schemas = {event_name(event): files[event_schema_name(event)] for event in EVENTS}
    if name is None:
        click.echo(json.dumps({event: json.loads(text) for event, text in schemas.items()}, indent=2))
    else:
        click.echo(schemas[name], nl=False)
