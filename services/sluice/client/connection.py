"""What people who publish and consume need of the settings: where Kafka is, and how topics are named.

They need not hold a vendor's credentials: of a settings file's ``destinations`` only the names are read.
"""

import os
from collections.abc import Iterable, Mapping
from pathlib import Path

import msgspec

from sluice.kafka.settings import KafkaSettings
from sluice.settings import Settings, settings_of
from sluice.settings_file import SettingsError, nearest, parse_yaml, read_text
from sluice.telemetry.settings import TracingSettings
from sluice.topics import DestinationTopics, topics_of

SETTINGS_FILE = Path("sluice.yaml")
"""Where settings are looked for when nobody names another file."""


class Connection(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How to reach the topics of destinations."""

    kafka: KafkaSettings
    topic_prefix: str = ""
    tracing: TracingSettings = TracingSettings()
    destinations: tuple[str, ...] | None = None
    """The names that may be asked for; ``None`` where nobody has listed them."""

    def topics(self, destination: str) -> DestinationTopics:
        """The topics of ``destination``. Raises :class:`~sluice.settings.SettingsError` for one that is not listed."""
        if self.destinations is not None and destination not in self.destinations:
            raise SettingsError(
                f"no destination {destination!r} in the settings{nearest(destination, self.destinations)}"
            )
        return topics_of(destination, self.topic_prefix)


Connectable = Connection | Settings | Path | str
"""What says how to connect: a connection, a whole settings file's content, or the path of one."""


def connect(settings: Connectable, environ: Mapping[str, str] = os.environ) -> Connection:
    """The connection that ``settings`` describe. Raises :class:`~sluice.settings.SettingsError`."""
    match settings:
        case Connection():
            return settings
        case Settings():
            return _connection(settings, settings.destinations)
        case _:
            return _load(Path(settings), environ)


def _load(path: Path, environ: Mapping[str, str]) -> Connection:
    """Read the file without what stands below ``destinations``: it may name secrets that are not here."""
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
