"""Log lines: their form, their fields, and which of the libraries' are kept."""

import io
import json
import logging
from collections.abc import Iterator

import pytest

from sluice.setting_types import Secret
from sluice.telemetry.logs import REPEATED_AFTER_S, NoRepeats, ReadableFormatter, start_logging


@pytest.fixture
def log_lines() -> Iterator[io.StringIO]:
    root = logging.getLogger()
    before = root.handlers[:], root.level
    stream = io.StringIO()
    start_logging("info", "writer", stream)
    yield stream
    root.handlers[:], root.level = before


def test_a_log_line_is_one_json_object_with_its_fields(log_lines: io.StringIO) -> None:
    logging.getLogger("sluice.writer").info("batch settled", extra={"batch_id": "b1", "items": 1000})
    line = json.loads(log_lines.getvalue())
    assert line.pop("at").endswith("+00:00")
    assert line == {
        "level": "info",
        "service": "writer",
        "logger": "sluice.writer",
        "message": "batch settled",
        "batch_id": "b1",
        "items": 1000,
    }


def test_a_secret_is_not_logged(log_lines: io.StringIO) -> None:
    logging.getLogger("sluice").info("connecting to %s", Secret("hunter2"), extra={"password": Secret("hunter2")})
    assert json.loads(log_lines.getvalue())["password"] == "***"
    assert "hunter2" not in log_lines.getvalue()


def test_an_exception_stays_on_its_line(log_lines: io.StringIO) -> None:
    logging.getLogger("sluice").error("failed", exc_info=ValueError("two\nlines"))
    assert log_lines.getvalue().count("\n") == 1
    assert "two\nlines" in json.loads(log_lines.getvalue())["exception"]


def test_libraries_do_not_chatter(log_lines: io.StringIO) -> None:
    logging.getLogger("aiokafka.consumer").info("Updated partition assignment")
    logging.getLogger("httpx").info("HTTP Request: PUT")
    logging.getLogger("aiokafka.conn").warning("connection lost")
    assert [json.loads(line)["message"] for line in log_lines.getvalue().splitlines()] == ["connection lost"]


def test_a_person_reads_time_message_and_fields() -> None:
    record = logging.makeLogRecord({"msg": "batch settled", "levelname": "INFO", "items": 1000})
    assert ReadableFormatter().format(record).endswith("INFO    batch settled  items=1000")


@pytest.mark.parametrize(
    ("logger", "later_s", "passes"),
    [
        pytest.param("aiokafka", 0.1, False, id="aiokafka says it again"),
        pytest.param("aiokafka", REPEATED_AFTER_S, True, id="aiokafka still says it"),
        pytest.param("aiokafka.producer.sender", 0.1, True, id="another part of it says the same"),
        pytest.param("sluice.writer", 0.1, True, id="ours"),
    ],
)
def test_what_aiokafka_repeats_is_logged_now_and_then(logger: str, later_s: float, passes: bool) -> None:
    no_repeats = NoRepeats()
    said = {"msg": "Unable connect to node with id %s", "created": 100.0}
    assert no_repeats.filter(logging.makeLogRecord({**said, "name": "aiokafka", "args": (0,)}))
    assert no_repeats.filter(logging.makeLogRecord({**said, "name": "sluice.writer"}))
    again = logging.makeLogRecord({**said, "name": logger, "args": (1,), "created": 100.0 + later_s})
    assert no_repeats.filter(again) is passes
