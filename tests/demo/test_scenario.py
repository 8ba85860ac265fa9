"""The whole demo, small, as a user runs it: its output, its end, and no process that outlives it."""

import re
import signal
import subprocess
import sys
from itertools import pairwise

import psutil
import pytest

from tests.demo.running import demo

FEW = ("--airports", "100", "--outage-s", "1")
_LEFT_WITHIN_S = 15.0
ON_LINUX = pytest.mark.skipif(sys.platform != "linux", reason="how a process dies with its parent: where we deploy")


def read_until(process: "subprocess.Popen[str]", text: str) -> list[str]:
    """Return the lines up to the one that contains ``text``."""
    assert process.stdout
    lines = []
    for line in process.stdout:
        lines.append(line.rstrip("\n"))
        if text in line:
            return lines
    raise AssertionError(f"{text!r} was never printed:\n" + "\n".join(lines))


def assert_gone(processes: list[psutil.Process]) -> None:
    assert processes
    _, alive = psutil.wait_procs(processes, _LEFT_WITHIN_S)
    assert alive == []


def test_every_record_gets_its_receipt_through_an_outage() -> None:
    with demo("--airports", "2000", "--outage-s", "2") as process:
        output, _ = process.communicate(timeout=240)
    assert process.returncode == 0, output
    assert re.search(r"2,0\d\d records published, (2,0\d\d) in crm.records, \1 receipts", output)
    assert re.search(r"delivered +CREATED +2,000 +2,000", output)
    assert re.search(r"skipped +NOTFOUND +1 +1", output)
    assert "line 1,002: expected a value in the key column `icao`, got none" in output
    assert re.search(
        r"the vendor goes down.*\n(.*\n)*.*the writer holds.*\n(.*\n)*.*delivery goes on by itself", output
    )
    assert "dead letters because of it: 0" in output
    assert len(re.findall(r"^    dead letter ", output, re.M)) == 6
    assert "sluice.error.code        bad-value" in output
    assert re.search(r"send crm.records .*\n.*receipt crm.records", output)
    assert re.search(r"PUT .* /rest/v2/groups → 200", output)
    assert "every record had exactly one receipt" in output
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f]", output)


def test_what_is_kept_running_can_be_tried_and_ends_with_ctrl_c() -> None:
    with demo(*FEW, "--keep") as process:
        lines = read_until(process, "Ctrl-C stops everything")
        started = psutil.Process(process.pid).children(recursive=True)
        [start] = [number for number, line in enumerate(lines) if "All of it is left running" in line]
        # Each command stands under a comment that gives its purpose.
        commands = [command.strip() for purpose, command in pairwise(lines[start:]) if purpose.strip().startswith("#")]
        for name in ("check", "publish", "_sandbox/state"):
            [command] = [command for command in commands if name in command and "tail" not in command]
            done = subprocess.run(command, shell=True, capture_output=True, text=True, timeout=30)
            assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"
        process.send_signal(signal.SIGINT)
        assert process.wait(30) == 0
        assert_gone(started)


@pytest.mark.parametrize(
    ("line", "number", "code"),
    [
        pytest.param("one system corrects airports", signal.SIGKILL, -signal.SIGKILL, id="killed", marks=ON_LINUX),
        pytest.param("sluice.writer --destination", signal.SIGINT, 130, id="Ctrl-C"),
    ],
)
def test_nothing_outlives_a_demo_that_is_stopped(line: str, number: signal.Signals, code: int) -> None:
    with demo(*FEW) as process:
        read_until(process, line)
        started = psutil.Process(process.pid).children(recursive=True)
        process.send_signal(number)
        assert process.wait(30) == code
        assert_gone(started)
