"""What people who publish and consume need of the settings: where Kafka is, and how topics are named.

They need not hold a vendor's credentials: of a settings file's ``destinations`` only the names are read.
"""

import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import msgspec
import yaml

from sluice.settings import KafkaSettings, Settings, SettingsError, TracingSettings, nearest, parse_settings
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
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(
            f"cannot read the settings file {path}: {error}; name one that exists, on the command line with --config"
        ) from error
    names, rest = _without_destinations(text)
    return _connection(parse_settings(rest, environ, base=path.parent, name=str(path)), names)


def _without_destinations(text: str) -> tuple[list[str], str]:
    """The names of the destinations, and the file without what stands below them."""
    try:
        raw: Any = yaml.safe_load(text)
    except yaml.YAMLError:
        return [], text  # the reader of settings says what is wrong with it
    if not isinstance(raw, dict) or not isinstance(raw.get("destinations"), dict):
        return [], text
    return [str(name) for name in raw["destinations"]], yaml.safe_dump({**raw, "destinations": {}})


def _connection(settings: Settings, destinations: Iterable[str]) -> Connection:
    return Connection(
        kafka=settings.kafka,
        topic_prefix=settings.topic_prefix,
        tracing=settings.tracing,
        destinations=tuple(destinations),
    )
