"""The files in ``schemas/`` agree with the structs, and every example ever given still holds."""

import json
from pathlib import Path
from typing import Any

import jsonschema
import msgspec
import pytest

from sluice.events import EVENTS, encode_event
from sluice.spec.json_schemas import event_name, event_schema_name, schema_files
from tests.support.paths import SCHEMAS

EXAMPLES = [
    pytest.param(event, path, id=f"{event_name(event)}, {path.stem.replace('-', ' ')}")
    for event in EVENTS
    for path in sorted((SCHEMAS / "examples" / event_name(event)).glob("*.json"))
]


@pytest.mark.parametrize("name", [pytest.param(name, id=name) for name in schema_files()])
def test_a_published_file_is_what_its_command_writes(name: str) -> None:
    published = (SCHEMAS / name).read_text(encoding="utf-8")
    assert published == schema_files()[name], f"{name} is out of date; run: python -m sluice.spec.json_schemas"


@pytest.mark.parametrize("name", [pytest.param(name, id=name) for name in schema_files() if name.endswith(".json")])
def test_a_published_schema_is_a_json_schema(name: str) -> None:
    jsonschema.Draft202012Validator.check_schema(json.loads((SCHEMAS / name).read_text(encoding="utf-8")))


@pytest.mark.parametrize(("event", "path"), EXAMPLES)
def test_an_example_fits_its_schema_and_its_struct(event: type[msgspec.Struct], path: Path) -> None:
    text = path.read_bytes()
    schema = json.loads((SCHEMAS / event_schema_name(event)).read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator(schema).validate(json.loads(text))
    decoded = msgspec.json.decode(text, type=event)
    assert msgspec.json.decode(encode_event(decoded), type=event) == decoded
    assert set(json.loads(text)) <= {field.encode_name for field in msgspec.structs.fields(event)}


def test_every_event_has_examples_and_every_folder_of_examples_its_event() -> None:
    folders = {path.name for path in (SCHEMAS / "examples").iterdir() if path.is_dir()}
    assert folders == {event_name(event) for event in EVENTS}
    assert all(list((SCHEMAS / "examples" / folder).glob("*.json")) for folder in folders)


@pytest.mark.parametrize(("event", "path"), EXAMPLES)
def test_readers_ignore_a_field_they_do_not_know(event: type[msgspec.Struct], path: Path) -> None:
    newer = json.loads(path.read_bytes()) | {"added_later": {"a": [1]}}
    msgspec.json.decode(json.dumps(newer), type=event)
    schema = json.loads((SCHEMAS / event_schema_name(event)).read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator(schema).validate(newer)


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        pytest.param({"operation": "merge"}, "is not one of", id="an operation that does not exist"),
        pytest.param({"event_id": ""}, "non-empty|too short", id="an empty event id"),
        pytest.param({"object": "x" * 257}, "too long", id="an object with a very long name"),
        pytest.param({"data": [1, 2]}, "is not of type 'object'", id="data that is no object"),
        pytest.param({"key": 7}, "not valid under any", id="a key that is a number"),
    ],
)
def test_schema_and_struct_refuse_the_same(change: dict[str, Any], complaint: str) -> None:
    event = EVENTS[0]
    schema = json.loads((SCHEMAS / event_schema_name(event)).read_text(encoding="utf-8"))
    example = json.loads((SCHEMAS / "examples" / "record-event" / "group-upsert.json").read_bytes()) | change
    with pytest.raises(jsonschema.ValidationError, match=complaint):
        jsonschema.Draft202012Validator(schema).validate(example)
    if "data" not in change:  # decoded only when a destination needs it
        with pytest.raises(msgspec.ValidationError):
            msgspec.json.decode(json.dumps(example), type=event)
