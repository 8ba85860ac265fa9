"""The AsyncAPI document agrees with ``topics.toml`` and the events, and its references lead somewhere.

AsyncAPI's own JSON Schema, version 3.0.0, is not available offline; the last test checks the parts used here.
"""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from sluice.events import EVENTS, Header
from sluice.spec.asyncapi import HEADERS
from sluice.spec.json_schemas import event_schema_name
from sluice.topics import Topic, catalogue
from tests.support.paths import SCHEMAS

ASYNCAPI: dict[str, Any] = yaml.safe_load((SCHEMAS / "asyncapi.yaml").read_text(encoding="utf-8"))
CHANNELS, OPERATIONS = [*ASYNCAPI["channels"].values()], [*ASYNCAPI["operations"].values()]
MESSAGES = [*ASYNCAPI["components"]["messages"].values()]
ROLES = [pytest.param(role, id=role) for role in catalogue().topics]


@pytest.mark.parametrize("role", ROLES)
def test_the_document_names_each_topic_as_the_catalogue_does(role: str) -> None:
    topic, channel = catalogue().topics[role], ASYNCAPI["channels"][role]
    assert channel["address"] == topic.name
    assert set(re.findall(r"{(\w+)}", channel["address"])) == set(channel["parameters"])
    config = channel["bindings"]["kafka"]["topicConfiguration"]
    assert config.get("retention.ms") == (int(topic.config["retention.ms"]) if "retention.ms" in topic.config else None)
    assert channel["bindings"]["kafka"]["partitions"] == catalogue().partitions


def test_the_document_names_no_other_topic() -> None:
    assert set(ASYNCAPI["channels"]) == set(catalogue().topics)


def parties(topic: Topic) -> set[tuple[str, str]]:
    return {("send", who) for who in topic.producers} | {("receive", who) for who in topic.consumers}


@pytest.mark.parametrize("role", ROLES)
def test_the_document_says_who_sends_and_who_receives(role: str) -> None:
    operations = [operation for operation in OPERATIONS if operation["channel"] == {"$ref": f"#/channels/{role}"}]
    found = {(operation["action"], operation["tags"][0]["name"]) for operation in operations}
    assert found == parties(catalogue().topics[role])
    for operation in operations:
        [message] = operation["messages"]
        assert message["$ref"].startswith(f"#/channels/{role}/messages/")


def references(value: Any) -> Iterator[str]:
    match value:
        case {"$ref": str(reference)}:
            yield reference
        case dict():
            for inner in value.values():
                yield from references(inner)
        case list():
            for inner in value:
                yield from references(inner)


def resolve(reference: str) -> Any:
    name, _, pointer = reference.partition("#")
    found = json.loads((SCHEMAS / name).read_text(encoding="utf-8")) if name else ASYNCAPI
    for part in pointer.removeprefix("/").split("/") if pointer else []:
        found = found[part.replace("~1", "/").replace("~0", "~")]
    return found


def test_every_reference_of_the_document_leads_somewhere() -> None:
    for reference in references(ASYNCAPI):
        assert resolve(reference)


def test_every_event_has_its_schema_in_the_document() -> None:
    assert {event_schema_name(event) for event in EVENTS} <= set(references(MESSAGES))


def test_every_header_is_described_and_carried_by_a_message() -> None:
    carried = {name for message in MESSAGES for name in message["headers"]["properties"]}
    assert set(HEADERS) == set(Header)
    assert {header.value for header in Header} <= carried


@pytest.mark.parametrize(
    ("parts", "required", "optional"),
    [
        pytest.param([ASYNCAPI], "asyncapi info", "defaultContentType channels operations components", id="document"),
        pytest.param([ASYNCAPI["info"]], "title version", "description", id="info"),
        pytest.param(CHANNELS, "address messages parameters", "title description bindings", id="channels"),
        pytest.param(OPERATIONS, "action channel", "summary tags messages", id="operations"),
        pytest.param(MESSAGES, "payload", "summary headers bindings", id="messages"),
    ],
)
def test_the_document_has_the_shape_of_asyncapi_3(parts: list[dict[str, Any]], required: str, optional: str) -> None:
    for part in parts:
        assert set(required.split()) <= set(part) <= set(f"{required} {optional}".split())
