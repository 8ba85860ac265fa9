"""Settings of a deployment: one YAML file, read once when a process starts.

The struct of each block is beside the code it configures. A kind is imported only when the file names it.
"""

import os
from collections.abc import Mapping
from functools import reduce
from operator import or_
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from sluice.destinations import KINDS, load_kind
from sluice.destinations.settings import DestinationSettings
from sluice.flow.flood_guard import GuardSettings
from sluice.flow.windows import WindowSettings
from sluice.kafka.settings import KafkaSettings
from sluice.kafka.tls_files import check_tls_files
from sluice.setting_types import Frozen, Positive, Seconds, secret_schema
from sluice.settings_file import SettingsError, check_keys, convert, expand, nearest, parse_yaml, read_text
from sluice.telemetry.settings import HttpSettings, TracingSettings


class DeliverySettings(Frozen, frozen=True):
    """Delivery by one writer."""

    max_concurrent_per_writer: Positive | None = None
    """Requests in flight, of each writer; by default the kind's own limit. For n writers set the vendor's / n."""
    requests_per_s_per_writer: Annotated[float, Meta(gt=0)] | None = None
    """Requests sent per second at most, by each writer; by default not limited. For n writers set the vendor's / n."""
    max_attempts: Positive = 8
    """Attempts at one record that fails for now, before it becomes a dead letter."""
    max_age_s: Seconds = 86_400.0
    """Time after its first failure in which a record may still be tried again."""
    max_buffered_items: Positive | None = None
    """Records held in memory by one writer; past it, partitions are paused. By default 40,000, or eight of the vendor's
    largest batches where that is more."""
    max_buffered_bytes: Positive | None = None
    """Memory that these records may take, with their headers, what is sent of them, and their receipts until commit; by
    default 64 MiB, or 1.5 KiB for each of ``max_buffered_items`` where that is more, but not past 96 MiB."""
    max_waiting_per_lane: Positive = 5_000
    """Records of one lane in memory that wait for an earlier one of their key; more of them wait in Kafka. All lanes
    together hold half of ``max_buffered_items`` at most."""
    max_gap_per_lane: Positive = 20_000_000
    """Offsets of one lane from its oldest record without a receipt to the last one read; past it, no more are read."""
    poll_base_s: Seconds = 2.0
    """First wait before a vendor job is asked about; each further one is half as long again."""
    poll_cap_s: Seconds = 30.0
    """Longest wait between two questions about a vendor job."""
    drain_timeout_s: Annotated[float, Meta(gt=0, le=3600)] = 20.0
    """Longest wait for the requests in flight of a lane that is given up."""
    backoff_base_s: Seconds = 0.5
    backoff_cap_s: Seconds = 60.0
    misconfigured_after_s: Seconds = 300.0
    """Time for which answers that speak of a wrong address or method, such as 302, 404 and 405, count as an outage once
    a write has worked. After it the writer is not ready, and goes on trying. Nothing is lost either way."""


class DestinationEntry(Frozen, frozen=True):
    """One destination: the vendor account, and how records are windowed and delivered to it."""

    to: Any
    """The vendor account: the settings of its kind."""
    window: WindowSettings = WindowSettings()
    delivery: DeliverySettings = DeliverySettings()
    guard: GuardSettings = GuardSettings()
    ordering: Literal["key", "none"] = "key"

    @property
    def account(self) -> DestinationSettings:
        """The settings ``to``, with the type that all kinds share."""
        settings: DestinationSettings = self.to
        return settings


class Settings(Frozen, frozen=True):
    """The whole file."""

    kafka: KafkaSettings
    destinations: dict[Annotated[str, Meta(pattern="^[a-z0-9][a-z0-9-]*$")], DestinationEntry]
    topic_prefix: Annotated[str, Meta(pattern="^[a-zA-Z0-9._-]*$")] = ""
    tracing: TracingSettings = TracingSettings()
    http: HttpSettings = HttpSettings()
    log_level: Literal["debug", "info", "warning", "error"] = "info"

    def destination(self, name: str) -> DestinationEntry:
        """Return the entry called ``name``. Raises :class:`SettingsError`, which names the nearest known one."""
        if name not in self.destinations:
            raise SettingsError(f"no destination {name!r} in the settings{nearest(name, self.destinations)}")
        return self.destinations[name]


def load_settings(path: Path, environ: Mapping[str, str] = os.environ) -> Settings:
    """Read, expand and validate the file at ``path``. Raises :class:`SettingsError`."""
    settings = parse_settings(read_text(path), environ, base=path.parent, name=str(path))
    check_tls_files(settings.kafka)
    return settings


def parse_settings(text: str, environ: Mapping[str, str], *, base: Path = Path(), name: str = "settings") -> Settings:
    """Return settings from YAML text; ``${file:...}`` paths are relative to ``base``. Raises :class:`SettingsError`."""
    return settings_of(parse_yaml(text, name), environ, base=base, name=name)


def settings_of(raw: dict[str, Any], environ: Mapping[str, str], *, base: Path, name: str) -> Settings:
    """Return settings from the mapping that a file holds. Raises :class:`SettingsError`."""
    check_keys(raw, Settings, name)
    kinds: dict[str, type[DestinationSettings]] = {}
    for destination, entry in _entries(raw):
        where = f"destinations.{destination}.to"
        kinds[destination] = settings_type = _settings_type(entry.get("to"), where, name)
        check_keys(entry["to"], settings_type, name, f"{where}.")
    expanded = expand(raw, environ, base, name)
    # Convert one by one: an error of msgspec does not name the key of the mapping that it is in.
    for destination, entry in _entries(expanded):
        where = f"{name}: destinations.{destination}"
        entry["to"] = convert(entry["to"], kinds[destination], f"{where}.to")
        convert(entry, DestinationEntry, where)
    return convert(expanded, Settings, name)


def settings_schema() -> dict[str, Any]:
    """Return the JSON Schema of the settings file, as published in ``schemas/settings.schema.json``."""
    kinds = reduce(or_, [load_kind(name).settings for name in KINDS])
    (settings, to), definitions = msgspec.json.schema_components((Settings, kinds), schema_hook=secret_schema)
    definitions["DestinationEntry"]["properties"]["to"] = to
    return {**settings, "$defs": definitions}


def _entries(raw: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    """Return the destinations that are mappings, as all must be: ``convert`` refuses the others."""
    destinations = raw.get("destinations")
    if not isinstance(destinations, dict):
        return []
    return [(name, entry) for name, entry in destinations.items() if isinstance(entry, dict)]


def _settings_type(to: Any, where: str, name: str) -> type[DestinationSettings]:
    """Return the settings of the kind that ``to`` names. Raises :class:`SettingsError`."""
    if not isinstance(to, dict) or "kind" not in to:
        raise SettingsError(f"{name}: missing `{where}.kind`{nearest('', KINDS)}")
    kind = to["kind"]
    if kind not in KINDS:
        raise SettingsError(f"{name}: unknown kind {kind!r} at `{where}.kind`{nearest(str(kind), KINDS)}")
    return load_kind(kind).settings
