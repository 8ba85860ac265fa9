"""Probes, the heartbeat behind them, and logs."""

import io
import json
import logging
from collections.abc import Iterator
from typing import Any

import aiohttp
import pytest

from sluice.setting_types import Secret
from sluice.telemetry.health import HealthServer, Heartbeat
from sluice.telemetry.logs import REPEATED_AFTER_S, NoRepeats, ReadableFormatter, start_logging
from sluice.telemetry.metrics import CONTENT_TYPE
from sluice.telemetry.settings import HttpSettings

LOCAL = HttpSettings(host="127.0.0.1", port=0)


async def answer(
    path: str, *, liveness: str | None = None, readiness: str | None = None, status: dict[str, Any] | None = None
) -> tuple[int, str, str]:
    server = HealthServer(
        LOCAL, lambda: b"sluice_lanes_owned 3\n", lambda: liveness, lambda: readiness, lambda: status or {}
    )
    port = await server.start()
    try:
        async with aiohttp.ClientSession() as session, session.get(f"http://127.0.0.1:{port}{path}") as response:
            return response.status, response.headers["Content-Type"], await response.text()
    finally:
        await server.stop()


@pytest.mark.parametrize(
    ("path", "obstacles", "expected"),
    [
        pytest.param("/livez", {}, (200, "ok\n"), id="alive"),
        pytest.param("/livez", {"liveness": "the fetch loop stands"}, (503, "the fetch loop stands\n"), id="not alive"),
        pytest.param("/livez", {"readiness": "no lanes yet"}, (200, "ok\n"), id="alive though not ready"),
        pytest.param("/readyz", {}, (200, "ok\n"), id="ready"),
        pytest.param("/readyz", {"readiness": "no lanes yet"}, (503, "no lanes yet\n"), id="not ready"),
        pytest.param("/nothing", {}, (404, "404: Not Found"), id="no such path"),
    ],
)
async def test_a_probe_answers_with_the_reason(path: str, obstacles: dict[str, str], expected: tuple[int, str]) -> None:
    status, _, text = await answer(path, **obstacles)  # type: ignore[arg-type]
    assert (status, text) == expected


async def test_metrics_come_in_the_format_of_prometheus() -> None:
    assert await answer("/metrics") == (200, CONTENT_TYPE, "sluice_lanes_owned 3\n")


async def test_the_status_is_json_and_shows_no_secret() -> None:
    status, content_type, text = await answer("/status", status={"lanes": [1, 2], "password": Secret("hunter2")})
    assert (status, content_type) == (200, "application/json")
    assert json.loads(text) == {"lanes": [1, 2], "password": "***"}


async def test_a_port_that_is_taken_is_an_error_and_leaves_nothing_open() -> None:
    def obstacle() -> None:
        return None

    first = HealthServer(LOCAL, lambda: b"", obstacle, obstacle, dict)
    port = await first.start()
    second = HealthServer(HttpSettings(host="127.0.0.1", port=port), lambda: b"", obstacle, obstacle, dict)
    with pytest.raises(OSError, match="address already in use"):
        await second.start()
    await first.stop()


class Clock:
    def __init__(self) -> None:
        self.now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


@pytest.mark.parametrize(
    ("waited_s", "expected"),
    [
        pytest.param(10.0, None, id="beaten just in time"),
        pytest.param(11.0, "the fetch loop has not turned for 11 s", id="standing still"),
    ],
)
def test_a_loop_that_no_longer_turns_is_named(waited_s: float, expected: str | None) -> None:
    clock = Clock()
    heartbeat = Heartbeat(10.0, clock)
    heartbeat.beat("fetch")
    clock.now_s = waited_s
    heartbeat.beat("ledger")
    assert heartbeat.obstacle() == expected


def test_a_loop_that_ended_in_good_order_is_not_missed() -> None:
    clock = Clock()
    heartbeat = Heartbeat(10.0, clock)
    heartbeat.beat("lane 3")
    heartbeat.ended("lane 3")
    clock.now_s = 100.0
    assert heartbeat.obstacle() is None


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
