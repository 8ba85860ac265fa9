"""A file on its way to Kafka: pipes, interrupts, rates, and files that break off."""

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from sluice.cli.exits import Exit
from sluice.client.connection import Connection
from tests.cli.conftest import Run
from tests.cli.publish.files import KEYED, publish, published, rejects


@contextmanager
def publishing_a_pipe(connection: Connection) -> Iterator["subprocess.Popen[bytes]"]:
    """Run ``sluice publish`` until one row is published; its standard input is still open."""
    command = [sys.executable, "-m", "sluice.cli", "publish", "crm", "-", *KEYED, "--format", "jsonl"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdin is not None
        process.stdin.write(b'{"id": "first"}\n')
        process.stdin.flush()
        while not published(connection):
            assert process.poll() is None
        yield process


def test_slow_pipe_is_published_as_it_comes(crm: Connection) -> None:
    with publishing_a_pipe(crm) as process:
        out, err = process.communicate(timeout=30)
    assert (process.returncode, err) == (0, b"")
    assert out.startswith(b"published 1 records")


def test_interrupt_ends_with_what_was_published(crm: Connection) -> None:
    with publishing_a_pipe(crm) as process:
        process.send_signal(signal.SIGINT)
        assert process.wait(30) == Exit.INTERRUPTED
        assert process.stdout is not None
        assert process.stdout.read().startswith(b"published 1 records")
        assert process.stderr is not None
        assert process.stderr.read() == b""


def test_too_large_row_is_set_aside(crm: Connection, run: Run) -> None:
    rows = [{"id": key, "text": "x" * size} for key, size in (("small", 10), ("large", 2_000_000), ("last", 10))]
    result = publish(run, "a.jsonl", "\n".join(map(json.dumps, rows)), *KEYED)
    assert result.exit_code == Exit.SOME_FAILED
    assert [event["key"] for event in published(crm)] == ["last", "small"]
    (bad,) = rejects("a.jsonl.rejects.jsonl")
    assert bad["line"] == 2
    assert bad["reason"].startswith("expected a record of at most 1048332 bytes, got 2000")


def test_rate_is_not_exceeded(crm: Connection, run: Run) -> None:
    result = publish(run, "a.csv", "id\n" + "\n".join(map(str, range(21))), *KEYED, "--rate", "100")
    took_s = float(result.stdout.split(" in ")[1].split(" s ")[0])
    assert took_s >= 0.2


def test_array_that_breaks_off_is_published_as_far_as_it_can_be_read(crm: Connection, run: Run) -> None:
    result = publish(run, "a.json", '[{"id": "1"}, {"id": "2"}, {"id":', *KEYED)
    assert result.exit_code == Exit.SOME_FAILED
    assert "expected a JSON value in a.json at line 1" in result.stderr
    assert [event["key"] for event in published(crm)] == ["1", "2"]
