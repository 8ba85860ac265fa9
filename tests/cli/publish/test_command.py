"""Options of ``sluice publish`` that are missing, wrong, or exclude each other."""

from pathlib import Path

import pytest

from sluice.cli.exits import Exit
from tests.cli.conftest import Run, failure
from tests.cli.publish.files import KEYED, publish


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
    assert sentence in failure(publish(run, "a.csv", b"id\n", *options), Exit.USAGE)
