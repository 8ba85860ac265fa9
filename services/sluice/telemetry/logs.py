"""Logs: a fixed message plus fields, one line an event, on stderr.

``log.info("batch settled", extra={"batch_id": batch.batch_id, "items": 1000})`` becomes one JSON object, with the
trace it belongs to; in a terminal, a line for people. A :class:`sluice.setting_types.Secret` becomes ``***``. A field
cannot have the name of an attribute of ``logging.LogRecord``: ``logging`` refuses ``name``, ``message``, ``args``.
"""

import logging
import sys
from datetime import UTC, datetime
from typing import Any, TextIO

import msgspec
from opentelemetry import trace

CHATTY = ("aiokafka", "httpx", "httpcore", "asyncio", "urllib3")
"""Libraries whose INFO lines are about their own work; their warnings are kept."""
REPEATED = "aiokafka"
REPEATED_AFTER_S = 10.0
"""While its brokers are gone, this library logs the same message a hundred times a second."""


def start_logging(level: str, service: str, stream: TextIO | None = None) -> None:
    """Log to ``stream``, by default stderr, from ``level`` up. Replaces every earlier set-up."""
    stream = stream or sys.stderr
    handler = logging.StreamHandler(stream)
    handler.addFilter(NoRepeats())
    handler.setFormatter(ReadableFormatter() if stream.isatty() else JsonFormatter(service))
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)
    for name in CHATTY:
        logging.getLogger(name).setLevel(logging.WARNING)


class NoRepeats(logging.Filter):
    """A filter that passes each message of ``REPEATED``, whatever its fields, once in ``REPEATED_AFTER_S``."""

    def __init__(self) -> None:
        super().__init__()
        self._passed_at_s: dict[tuple[str, object], float] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Return whether to log ``record``."""
        if not record.name.startswith(REPEATED):
            return True
        message = (record.name, record.msg)
        if record.created < self._passed_at_s.get(message, -REPEATED_AFTER_S) + REPEATED_AFTER_S:
            return False
        self._passed_at_s[message] = record.created
        return True


class JsonFormatter(logging.Formatter):
    """One JSON object a line: ``at, level, service, logger, message``, the fields, and the current trace."""

    def __init__(self, service: str) -> None:
        super().__init__()
        self._service = service

    def format(self, record: logging.LogRecord) -> str:
        """Return ``record`` as JSON."""
        line: dict[str, Any] = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "service": self._service,
            "logger": record.name,
            "message": record.getMessage(),
            **_fields(record),
        }
        context = trace.get_current_span().get_span_context()
        if context.trace_flags.sampled:
            line["trace_id"] = f"{context.trace_id:032x}"
            line["span_id"] = f"{context.span_id:016x}"
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return msgspec.json.encode(line, enc_hook=str).decode()


class ReadableFormatter(logging.Formatter):
    """A line for a person at a terminal: time, level, message, fields."""

    def format(self, record: logging.LogRecord) -> str:
        """Return ``record`` as one line, with the traceback below it where there is one."""
        at = datetime.fromtimestamp(record.created, UTC).astimezone().strftime("%H:%M:%S")
        fields = "".join(f"  {name}={value}" for name, value in _fields(record).items())
        line = f"{at} {record.levelname:7} {record.getMessage()}{fields}"
        return f"{line}\n{self.formatException(record.exc_info)}" if record.exc_info else line


_OWN = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}


def _fields(record: logging.LogRecord) -> dict[str, Any]:
    return {name: value for name, value in vars(record).items() if name not in _OWN}
