"""Settings files: read YAML, refuse unknown keys, fill in secrets, convert to structs.

``${env:NAME}`` and ``${file:path}`` stand for secrets, and for values that differ between deployments. An unknown key
is an error that names the key and the nearest known one. Nothing else reads the environment.
"""

import difflib
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, TypeVar

import msgspec
import yaml
from msgspec.inspect import DictType, StructType, Type, UnionType, type_info

from sluice.setting_types import decode_secret

_Settings = TypeVar("_Settings")


class SettingsError(Exception):
    """A settings file that cannot be used; the message says what was expected, what came, and what to do."""


def read_text(path: Path) -> str:
    """Read the file at ``path``. Raises :class:`SettingsError`."""
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, ValueError) as error:
        raise SettingsError(
            f"cannot read the settings file {path}: {why_unreadable(error)}; name one with --config"
        ) from error


def why_unreadable(error: OSError | ValueError) -> str:
    """Return why a file cannot be read, in words; ``ValueError`` is of its path or of its encoding."""
    match error:
        case OSError():
            return error.strerror or str(error)
        case UnicodeDecodeError():
            return f"expected UTF-8, got the byte 0x{error.object[error.start]:02x} at position {error.start}"
        case _:
            return str(error)


def parse_yaml(text: str, name: str) -> dict[str, Any]:
    """Return the mapping that YAML ``text`` holds. Raises :class:`SettingsError`."""
    try:
        raw = yaml.load(text, _StrictLoader)  # noqa: S506  # a SafeLoader
    except yaml.YAMLError as error:
        raise SettingsError(f"{name} is not YAML: {_yaml_problem(error)}") from None
    except RecursionError:
        raise SettingsError(f"{name}: expected a few levels of YAML, got hundreds; correct the file") from None
    if not isinstance(raw, dict):
        raise SettingsError(f"{name}: expected a mapping with `kafka` and `destinations`, got {type(raw).__name__}")
    return raw


def check_keys(value: Any, type_: type, name: str, path: str = "") -> None:
    """Refuse a key of ``value``, or below, that ``type_`` does not have. Raises :class:`SettingsError`."""
    for problem in _unknown_keys(value, type_info(type_), path):
        raise SettingsError(f"{name}: {problem}")


def convert(value: Any, type_: type[_Settings], where: str) -> _Settings:
    """Return ``value`` as ``type_``. Raises :class:`SettingsError`."""
    try:
        return msgspec.convert(value, type_, dec_hook=decode_secret, strict=False)
    except msgspec.ValidationError as error:
        raise SettingsError(f"{where}: {error}") from error


class _StrictLoader(yaml.SafeLoader):
    """YAML loader that refuses a mapping with the same key twice, instead of keeping the last."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        """Construct the mapping as the base class does. Raises for a repeated key."""
        keys = [key.value for key, _ in node.value]
        for key in keys:
            if keys.count(key) > 1:
                raise yaml.constructor.ConstructorError(None, None, f"the key `{key}` stands twice", node.start_mark)
        return super().construct_mapping(node, deep)


def _yaml_problem(error: yaml.YAMLError) -> str:
    """Return the error and its position, without the text around it, which may hold a secret."""
    if isinstance(error, yaml.MarkedYAMLError) and error.problem_mark is not None:
        mark = error.problem_mark
        return f"{error.problem} at line {mark.line + 1}, column {mark.column + 1}"
    if isinstance(error, yaml.reader.ReaderError):
        return f"it holds the character U+{error.character:04X} at position {error.position}"
    return type(error).__name__


_PLACEHOLDER = re.compile(r"\$\{([^}]*)\}")


def expand(value: Any, environ: Mapping[str, str], base: Path, name: str) -> Any:
    """Return ``value`` with placeholders filled in; paths are relative to ``base``. Raises :class:`SettingsError`."""

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
        except (OSError, ValueError) as error:
            raise SettingsError(f"{name}: ${{file:{what}}} cannot be read: {why_unreadable(error)}") from error

    match value:
        case str():
            return _PLACEHOLDER.sub(replace, value)
        case dict():
            return {key: expand(inner, environ, base, name) for key, inner in value.items()}
        case list():
            return [expand(inner, environ, base, name) for inner in value]
        case _:
            return value


def _unknown_keys(value: Any, expected: Type, path: str) -> Iterator[str]:
    """Yield a message for each key of ``value`` that ``expected`` does not have."""
    if not isinstance(value, dict):
        return
    match _struct_for(expected, value):
        case StructType() as struct:
            fields = {field.encode_name: field.type for field in struct.fields}
            known = [*fields, *([struct.tag_field] if struct.tag_field else [])]
            for key, inner in value.items():
                if key not in known:
                    yield f"unknown key `{path}{key}`{nearest(str(key), known)}"
                elif key in fields:
                    yield from _unknown_keys(inner, fields[key], f"{path}{key}.")
        case DictType() as mapping:
            for key, inner in value.items():
                yield from _unknown_keys(inner, mapping.value_type, f"{path}{key}.")


def _struct_for(expected: Type, value: dict[Any, Any]) -> Type:
    """Return the struct of a union, such as that of a block which may be left out; of several the one ``value`` names.

    A ``value`` that names none is refused when it is converted.
    """
    if not isinstance(expected, UnionType):
        return expected
    structs = [member for member in expected.types if isinstance(member, StructType)]
    named = [struct for struct in structs if struct.tag_field and value.get(struct.tag_field) == struct.tag]
    return structs[0] if len(structs) == 1 else next(iter(named), expected)


def nearest(word: str, known: Iterable[str]) -> str:
    """Return the end of a message about an unknown ``word``: the known one that is closest, or all of them."""
    names = list(known)
    close = difflib.get_close_matches(word, names, n=1, cutoff=0.5)
    if close:
        return f"; did you mean `{close[0]}`?"
    return f"; known are {', '.join(f'`{name}`' for name in names)}" if names else ""
