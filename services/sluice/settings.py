"""The settings file: one YAML document, read once at a process's start.

``${env:NAME}`` and ``${file:path}`` stand for secrets and whatever differs between places. An unknown key is an
error that names the key and the nearest known one. Nothing else reads the environment.
"""

import difflib
import os
import re
from collections.abc import Iterable, Iterator, Mapping
from functools import reduce
from operator import or_
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

import msgspec
import yaml
from msgspec import Meta
from msgspec.inspect import DictType, StructType, Type, UnionType, type_info

from sluice.destination import DestinationSettings
from sluice.destinations import KINDS
from sluice.secrets import Secret, decode_secret, secret_schema

Positive = Annotated[int, Meta(gt=0)]
Seconds = Annotated[float, Meta(gt=0)]


class Frozen(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A block of settings."""


class TlsSettings(Frozen, frozen=True):
    """TLS to Kafka. Without ``ca_file`` the system's certificates are trusted."""

    ca_file: str | None = None
    cert_file: str | None = None
    key_file: str | None = None
    key_password: Secret | None = None


class SaslSettings(Frozen, frozen=True):
    """How to log in to Kafka."""

    mechanism: Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"]
    username: str
    password: Secret


class KafkaSettings(Frozen, frozen=True):
    """How to reach Kafka."""

    bootstrap_servers: str
    tls: TlsSettings | None = None
    sasl: SaslSettings | None = None
    session_timeout_s: Seconds = 30.0


class WindowSettings(Frozen, frozen=True):
    """When a window closes. Left out, the destination kind's own limit holds; it can be narrowed, not widened."""

    max_items: Positive | None = None
    max_bytes: Positive | None = None
    max_age_s: Annotated[float, Meta(ge=0)] | None = None


class DeliverySettings(Frozen, frozen=True):
    """How one writer delivers."""

    max_concurrent: Positive | None = None
    """Requests in flight; the kind's own limit where left out."""
    requests_per_s: Annotated[float, Meta(gt=0)] | None = None
    """Requests sent per second at most; not limited where left out."""
    max_attempts: Positive = 8
    """Attempts of one record that fails for now, before it becomes a dead letter."""
    max_age_s: Seconds = 86_400.0
    """How long after its first failure a record is tried again."""
    max_buffered_items: Positive = 40_000
    """Records held in memory by one writer; past it, partitions are paused."""
    max_buffered_bytes: Positive = 48 * 1024 * 1024
    max_waiting_per_lane: Positive = 5_000
    """Records of one lane that wait for an earlier one of their key."""
    drain_timeout_s: Seconds = 20.0
    """How long a lane that is given up waits for its requests in flight."""
    backoff_base_s: Seconds = 0.5
    backoff_cap_s: Seconds = 60.0


class GuardSettings(Frozen, frozen=True):
    """When a writer stops by itself, because a renamed field must not move a million good records to dead letters."""

    max_share: Annotated[float, Meta(gt=0, le=1)] = 0.5
    """Dead letters among the last ``over_records`` records; more than that stops all writers of the destination."""
    over_records: Positive = 1000


class DestinationEntry(Frozen, frozen=True):
    """One destination: where it leads and how its records are windowed and delivered."""

    to: reduce(or_, KINDS)  # type: ignore[valid-type]  # the union of the table of kinds
    window: WindowSettings = WindowSettings()
    delivery: DeliverySettings = DeliverySettings()
    guard: GuardSettings = GuardSettings()
    ordering: Literal["key", "none"] = "key"

    @property
    def kind(self) -> DestinationSettings:
        """``to``, as what all kinds have in common."""
        settings: DestinationSettings = self.to
        return settings


class TracingSettings(Frozen, frozen=True):
    """Where spans go. Without an endpoint none is made, and trace context still passes through."""

    otlp_endpoint: str | None = None
    """Base address of an OTLP/HTTP receiver, for example http://collector:4318."""
    sample_ratio: Annotated[float, Meta(ge=0, le=1)] = 0.01
    """Share of new traces that are sampled; what upstream has decided already is kept."""


class HttpSettings(Frozen, frozen=True):
    """Where a process serves /metrics, /livez and /readyz."""

    host: str = "0.0.0.0"  # noqa: S104  # probes and scrapers come from other hosts
    port: Annotated[int, Meta(ge=0, le=65535)] = 9464


class Settings(Frozen, frozen=True):
    """The whole file."""

    kafka: KafkaSettings
    destinations: dict[Annotated[str, Meta(pattern="^[a-z0-9][a-z0-9-]*$")], DestinationEntry]
    topic_prefix: Annotated[str, Meta(pattern="^[a-zA-Z0-9._-]*$")] = ""
    tracing: TracingSettings = TracingSettings()
    http: HttpSettings = HttpSettings()
    log_level: Literal["debug", "info", "warning", "error"] = "info"

    def destination(self, name: str) -> DestinationEntry:
        """The entry called ``name``. Raises :class:`SettingsError` naming the nearest known one."""
        if name not in self.destinations:
            raise SettingsError(f"no destination {name!r} in the settings{nearest(name, self.destinations)}")
        return self.destinations[name]


class SettingsError(Exception):
    """A settings file that cannot be used; the message says what was expected, what came, and what to do."""


def load_settings(path: Path, environ: Mapping[str, str] = os.environ) -> Settings:
    """Read, expand and validate the file at ``path``. Raises :class:`SettingsError`."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"cannot read the settings file {path}: {error}; name one with --config") from error
    return parse_settings(text, environ, base=path.parent, name=str(path))


def parse_settings(text: str, environ: Mapping[str, str], *, base: Path = Path(), name: str = "settings") -> Settings:
    """Settings from YAML text; ``${file:...}`` paths are relative to ``base``. Raises :class:`SettingsError`."""
    try:
        raw = yaml.load(text, _StrictLoader)  # noqa: S506  # a SafeLoader
    except yaml.YAMLError as error:
        raise SettingsError(f"{name} is not YAML: {_yaml_problem(error)}") from None
    if not isinstance(raw, dict):
        raise SettingsError(f"{name}: expected a mapping with `kafka` and `destinations`, got {type(raw).__name__}")
    for problem in _problems(raw, type_info(Settings), ""):
        raise SettingsError(f"{name}: {problem}")
    expanded = _expand(raw, environ, base, name)
    # First one by one: msgspec does not name the key of a mapping in which it finds fault.
    for destination, entry in (expanded.get("destinations") or {}).items():
        _convert(entry, DestinationEntry, f"{name}: destinations.{destination}")
    return _convert(expanded, Settings, name)


def settings_schema() -> dict[str, Any]:
    """JSON Schema of the settings file, as published in ``schemas/settings.schema.json``."""
    return msgspec.json.schema(Settings, schema_hook=secret_schema)


class _StrictLoader(yaml.SafeLoader):
    """YAML in which a key that stands twice is an error, and not the last one's."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        """As the base class does, after a look at the keys."""
        keys = [key.value for key, _ in node.value]
        for key in keys:
            if keys.count(key) > 1:
                raise yaml.constructor.ConstructorError(None, None, f"the key `{key}` stands twice", node.start_mark)
        return super().construct_mapping(node, deep)


def _yaml_problem(error: yaml.YAMLError) -> str:
    """What is wrong and where, without the text around it, which may hold a secret."""
    if isinstance(error, yaml.MarkedYAMLError) and error.problem_mark is not None:
        mark = error.problem_mark
        return f"{error.problem} at line {mark.line + 1}, column {mark.column + 1}"
    return type(error).__name__


_Settings = TypeVar("_Settings")


def _convert(value: Any, type_: type[_Settings], where: str) -> _Settings:
    try:
        return msgspec.convert(value, type_, dec_hook=decode_secret, strict=False)
    except msgspec.ValidationError as error:
        raise SettingsError(f"{where}: {error}") from error


_PLACEHOLDER = re.compile(r"\$\{([^}]*)\}")


def _expand(value: Any, environ: Mapping[str, str], base: Path, name: str) -> Any:
    def replace(match: re.Match[str]) -> str:
        kind, _, what = match[1].partition(":")
        if kind not in ("env", "file") or not what:
            raise SettingsError(f"{name}: expected ${{env:NAME}} or ${{file:path}}, got {match[0]}")
        if kind == "env":
            if what not in environ:
                raise SettingsError(f"{name}: ${{env:{what}}} is not set; set the environment variable {what}")
            return environ[what]
        try:
            return (base / what).read_text(encoding="utf-8").strip()
        except OSError as error:
            raise SettingsError(f"{name}: ${{file:{what}}} cannot be read: {error.strerror}") from error

    match value:
        case str():
            return _PLACEHOLDER.sub(replace, value)
        case dict():
            return {key: _expand(inner, environ, base, name) for key, inner in value.items()}
        case list():
            return [_expand(inner, environ, base, name) for inner in value]
        case _:
            return value


def _problems(value: Any, expected: Type, path: str) -> Iterator[str]:
    """Messages about keys of ``value`` that ``expected`` does not have, and about kinds that nobody knows."""
    if not isinstance(value, dict):
        return
    if problem := _kind_problem(value, expected, path):
        yield problem
        return
    match _struct_for(value, expected):
        case StructType() as struct:
            fields = {field.encode_name: field.type for field in struct.fields}
            known = [*fields, *([struct.tag_field] if struct.tag_field else [])]
            for key, inner in value.items():
                if key not in known:
                    yield f"unknown key `{path}{key}`{nearest(str(key), known)}"
                elif key in fields:
                    yield from _problems(inner, fields[key], f"{path}{key}.")
        case DictType() as mapping:
            for key, inner in value.items():
                yield from _problems(inner, mapping.value_type, f"{path}{key}.")


def _kind_problem(value: dict[str, Any], expected: Type, path: str) -> str | None:
    """What is wrong with the field that says which kind of a tagged struct ``value`` is."""
    members = expected.types if isinstance(expected, UnionType) else (expected,)
    tags = {str(one.tag): one.tag_field for one in members if isinstance(one, StructType) and one.tag_field}
    for field in tags.values():
        if field not in value:
            return f"missing `{path}{field}`{nearest('', tags)}"
        if value[field] not in tags:
            return f"unknown {field} {value[field]!r} at `{path}{field}`{nearest(str(value[field]), tags)}"
    return None


def _struct_for(value: dict[str, Any], expected: Type) -> Type:
    """Of a union, the struct whose tag ``value`` carries, or else its only struct."""
    if not isinstance(expected, UnionType):
        return expected
    structs = [member for member in expected.types if isinstance(member, StructType)]
    tagged = [member for member in structs if member.tag_field and value.get(member.tag_field) == member.tag]
    if tagged:
        return tagged[0]
    return structs[0] if len(structs) == 1 else expected


def nearest(word: str, known: Iterable[str]) -> str:
    """The end of a message about an unknown ``word``: the known one that is closest, or all of them."""
    names = list(known)
    close = difflib.get_close_matches(word, names, n=1, cutoff=0.5)
    if close:
        return f"; did you mean `{close[0]}`?"
    return f"; known are {', '.join(f'`{name}`' for name in names)}" if names else ""
