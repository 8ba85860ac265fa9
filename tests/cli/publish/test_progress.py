"""The progress bar."""

import pytest

from sluice.cli.publish.progress import PublishProgress
from tests.cli.conftest import opened


@pytest.mark.parametrize("is_terminal", [True, False], ids=["terminal", "pipe"])
def test_progress_is_shown_in_a_terminal_alone(
    is_terminal: bool, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    if is_terminal:
        monkeypatch.setenv("FORCE_COLOR", "1")
    with PublishProgress(opened(b"id\n1\n")) as progress:
        progress.show(1, 0)
    assert ("publishing" in capsys.readouterr().err) == is_terminal
