"""The files in ``schemas/``, written from the structs and ``topics.toml``: ``python -m sluice.spec.json_schemas``.

One JSON Schema per event, one of the settings file, and ``asyncapi.yaml``. They are committed, so that a reader or
another language needs no Python, and a test compares them with what this module would write.
"""

import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import yaml

from sluice.events import EVENTS
from sluice.settings import settings_schema
from sluice.spec.asyncapi import asyncapi_document
from sluice.spec.docstrings import docstrings, prose

DIALECT = "https://json-schema.org/draft/2020-12/schema"


def schema_files() -> dict[str, str]:
    """Return the text of every generated file, by its name in ``schemas/``."""
    schemas = {event_schema_name(event): msgspec.json.schema(event) for event in EVENTS}
    schemas["settings.schema.json"] = settings_schema()
    document = asyncapi_document({event.__name__: event_schema_name(event) for event in EVENTS})
    return {name: _json_file(name, schema) for name, schema in schemas.items()} | {
        "asyncapi.yaml": _yaml_file(document)
    }


def event_name(event: type[msgspec.Struct]) -> str:
    """Return ``record-event`` for ``RecordEvent``: the name of its schema and its examples."""
    return re.sub(r"(?<=.)(?=[A-Z])", "-", event.__name__).lower()


def event_schema_name(event: type[msgspec.Struct]) -> str:
    """Return the name of the file with ``event``'s schema."""
    return f"{event_name(event)}.schema.json"


def _json_file(name: str, schema: dict[str, Any]) -> str:
    structs = {struct.__name__: struct for struct in _structs(msgspec.Struct)}
    for title, definition in schema["$defs"].items():
        if "description" in definition:
            definition["description"] = prose(definition["description"])
        if title in structs:
            _describe(definition["properties"], structs[title])
    whole = {"$schema": DIALECT, "$id": name, **schema}
    return msgspec.json.format(msgspec.json.encode(whole)).decode() + "\n"


def _yaml_file(document: dict[str, Any]) -> str:
    text = yaml.dump(document, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=110)
    return f"# Written by: python -m sluice.spec.json_schemas\n{text}"


class _Dumper(yaml.SafeDumper):
    """A dumper for people: it writes no anchors, and paragraphs as they are."""

    def ignore_aliases(self, data: object) -> bool:  # noqa: ARG002  # the base class's signature
        return True


_Dumper.add_representer(
    str,
    lambda dumper, text: dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|" if "\n" in text else None),
)


def _structs(base: type[msgspec.Struct]) -> Iterator[type[msgspec.Struct]]:
    """Yield the product's structs: other code in the process may have structs of the same names."""
    for struct in base.__subclasses__():
        if struct.__module__.startswith("sluice."):
            yield struct
        yield from _structs(struct)


def _describe(properties: dict[str, Any], struct: type[msgspec.Struct]) -> None:
    """Give each property the docstring under its field; msgspec takes only the struct's own."""
    for owner in struct.__mro__:
        if owner is msgspec.Struct:
            return
        for name, text in docstrings(owner):
            properties[name].setdefault("description", text)


def main() -> None:
    """Write the files into the directory given, by default ``schemas``."""
    directory = Path(sys.argv[1] if len(sys.argv) > 1 else "schemas")
    for name, text in schema_files().items():
        directory.joinpath(name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
