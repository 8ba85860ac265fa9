"""The settings that publishing and consuming need: the address of Kafka, and how topics are named.

They hold no vendor's credentials: of a settings file's ``destinations`` only the names are read.
"""

import os
from collections.abc import Iterable, Mapping
from pathlib import Path

import msgspec

from sluice.kafka.settings import KafkaSettings
from sluice.kafka.tls_files import check_tls_files
from sluice.settings import Settings, settings_of
from sluice.settings_file import SettingsError, nearest, parse_yaml, read_text
from sluice.telemetry.settings import TracingSettings
from sluice.topics import DestinationTopics, topics_of

SETTINGS_FILE = Path("sluice.yaml")
"""The settings file where none is named."""


class Connection(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The way to the topics of destinations, for use in place of a settings file.

    Connection(kafka=KafkaSettings(bootstrap_servers="localhost:9092"), topic_prefix="staging.")
    """

    kafka: KafkaSettings
    topic_prefix: str = ""
    """Begins the name of every topic."""
    tracing: TracingSettings = TracingSettings()
    destinations: tuple[str, ...] | None = None
    """The destinations there are, so that another name is an error; ``None`` allows any name."""

    def topics(self, destination: str) -> DestinationTopics:
        """Return the topics of ``destination``. Raises ``SettingsError`` for one that is not in ``destinations``."""
        if self.destinations is not None and destination not in self.destinations:
            raise SettingsError(
                f"no destination {destination!r} in the settings{nearest(destination, self.destinations)}"
            )
        return topics_of(destination, self.topic_prefix)


Connectable = Connection | Settings | Path | str
"""A connection, the content of a settings file, or the path of one."""


def connect(settings: Connectable, environ: Mapping[str, str] = os.environ) -> Connection:
    """Return the connection that ``settings`` describe. Raises ``SettingsError``, also for files of ``kafka.tls``."""
    match settings:
        case Connection():
            connection = settings
        case Settings():
            connection = _connection(settings, settings.destinations)
        case _:
            connection = _load(Path(settings), environ)
    check_tls_files(connection.kafka)
    return connection


def _load(path: Path, environ: Mapping[str, str]) -> Connection:
    """Read the file without the content of ``destinations``: it may name secrets that this machine does not have."""
    raw = parse_yaml(read_text(path), str(path))
    destinations = raw.get("destinations")
    names = [str(name) for name in destinations] if isinstance(destinations, dict) else []
    if names:
        raw["destinations"] = {}
    return _connection(settings_of(raw, environ, base=path.parent, name=str(path)), names)


def _connection(settings: Settings, destinations: Iterable[str]) -> Connection:
    return Connection(
        kafka=settings.kafka,
        topic_prefix=settings.topic_prefix,
        tracing=settings.tracing,
        destinations=tuple(destinations),
    )
