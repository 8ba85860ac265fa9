"""Errors that end every command in the same way: one sentence, and an exit code."""

from pathlib import Path

import click
import pytest
from aiokafka.errors import KafkaError, TopicAuthorizationFailedError
from click.testing import CliRunner

from sluice.cli.exits import CommandGroup, Exit
from tests.cli.conftest import Run, failure

COMMANDS = {
    "publish {} a.csv --object group/company --key id": "records",
    "dead count {}": "dead-letters",
    "dead ls {}": "dead-letters",
    "dead redrive {}": "dead-letters",
    "outcomes tail {}": "succeeded",
    "guard show {}": "control",
    "topics ls {}": "records",
}
"""Each command, and a topic that it needs."""


@pytest.fixture(autouse=True)
def file(run: Run) -> None:
    Path("a.csv").write_text("id\n1\n")


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        pytest.param("kafka: [", "sluice.yaml is not YAML", id="no YAML"),
        pytest.param("kafka: {}", "missing required field", id="missing"),
        pytest.param("kafak: {}", "unknown key `kafak`; did you mean `kafka`?", id="unknown key"),
        pytest.param(None, "cannot read the settings file sluice.yaml", id="no file"),
    ],
)
@pytest.mark.parametrize("command", ["check", "topics ls crm"])
def test_wrong_settings_are_one_sentence(run: Run, content: str | None, sentence: str, command: str) -> None:
    if content is not None:
        Path("sluice.yaml").write_text(content)
    assert sentence in failure(run(*command.split()), Exit.SETTINGS)


@pytest.mark.parametrize("command", COMMANDS)
def test_unknown_destination_is_named_with_the_nearest(settings: Path, run: Run, command: str) -> None:
    sentence = failure(run(*command.format("cmr").split()), Exit.SETTINGS)
    assert "no destination 'cmr' in the settings; did you mean `crm`?" in sentence


@pytest.mark.parametrize("command", ["publish {} a.csv --object group/company --key id", "topics ls {}"])
def test_kafka_that_does_not_answer_is_one_sentence(settings: Path, run: Run, command: str) -> None:
    assert "Kafka cannot be reached at localhost:1" in failure(run(*command.format("crm").split()), Exit.KAFKA)


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        pytest.param(TopicAuthorizationFailedError("crm.records"), "grant READ and WRITE on it", id="a right"),
        pytest.param(KafkaError("no leader"), "Kafka failed: KafkaError('no leader'); look at its", id="anything else"),
    ],
)
def test_what_kafka_refuses_is_one_sentence(error: KafkaError, sentence: str) -> None:
    @click.group(cls=CommandGroup)
    def group() -> None: ...

    @group.command()
    def fail() -> None:
        raise error

    assert sentence in failure(CliRunner().invoke(group, ["fail"]), Exit.KAFKA)


@pytest.mark.parametrize(("command", "topic"), COMMANDS.items())
def test_missing_topic_is_named(no_topics: str, run: Run, command: str, topic: str) -> None:
    sentence = failure(run(*command.format("crm").split()), Exit.TOPICS)
    assert f"{no_topics}crm.{topic}" in sentence
    assert "make it with `sluice topics create crm`" in sentence
