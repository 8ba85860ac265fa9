"""The errors of ``sluice publish`` that concern no row: its options, Kafka, topics and settings."""

from pathlib import Path

import pytest

from sluice.cli.exits import Exit
from tests.cli.conftest import Run
from tests.cli.publish.files import COMPANIES, KEYED, refusal


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        pytest.param(("--key", "id"), "say what the rows are at the vendor", id="no object"),
        pytest.param(("--object", "o"), "an upsert needs to know the record", id="no key"),
        pytest.param((*KEYED, "--match", "id"), "leave one of them out", id="two kinds of key"),
        pytest.param((*KEYED, "--events"), "--events publishes what FILE says", id="events and more"),
        pytest.param((*KEYED, "--delimiter", ";;"), "expected one character", id="delimiter"),
        pytest.param((*KEYED, "--operation", "upsrt"), "'upsrt' is not one of", id="operation"),
        pytest.param((*KEYED, "--rate", "0"), "is not in the range", id="rate"),
    ],
)
def test_unusable_options_are_one_sentence(settings: Path, run: Run, options: tuple[str, ...], sentence: str) -> None:
    assert sentence in refusal(run, "a.csv", b"id\n", *options)


def test_kafka_that_does_not_answer_is_one_sentence(settings: Path, run: Run) -> None:
    Path("a.csv").write_text(COMPANIES)
    result = run("publish", "crm", "a.csv", *KEYED)
    assert result.exit_code == Exit.KAFKA
    assert "Kafka does not answer at localhost:1" in result.stderr


def test_missing_topics_are_one_sentence(no_topics: str, run: Run) -> None:
    Path("a.csv").write_text(COMPANIES)
    result = run("publish", "crm", "a.csv", *KEYED)
    assert result.exit_code == Exit.TOPICS
    assert f"no topic {no_topics}crm.records; make it with `sluice topics create crm`" in result.stderr


def test_unknown_destination_is_named_with_the_nearest(settings: Path, run: Run) -> None:
    result = run("publish", "cmr", "a.csv", *KEYED)
    assert result.exit_code == Exit.SETTINGS
    assert "no destination 'cmr' in the settings; did you mean `crm`?" in result.stderr
