"""Types for the blocks of the settings: structs that refuse unknown keys, bounded numbers, secrets."""

from typing import Annotated, Any

import msgspec
from msgspec import Meta

Positive = Annotated[int, Meta(gt=0)]
Seconds = Annotated[float, Meta(gt=0, le=1e9)]
"""Up to 30 years: a time for ever, such as ``.inf``, would be one that no clock or protocol can hold."""
SecondsOrZero = Annotated[float, Meta(ge=0, le=1e9)]


class Frozen(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A block of settings."""


class Secret:
    """A string that is printed as ``***``; :meth:`reveal` returns it."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        """Return the secret itself, for the one place that sends it."""
        return self._value

    def __repr__(self) -> str:
        return "***"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other._value == self._value

    def __hash__(self) -> int:
        return hash(self._value)


def decode_secret(type_: type, value: Any) -> Any:
    """Decode a :class:`Secret`, as msgspec's ``dec_hook``."""
    if type_ is Secret and isinstance(value, str):
        return Secret(value)
    raise TypeError(f"expected {type_.__name__}, got {type(value).__name__}")


def secret_schema(type_: type) -> dict[str, Any]:
    """Return the JSON Schema of a :class:`Secret`, as msgspec's ``schema_hook``."""
    if type_ is Secret:
        return {
            "type": "string",
            "writeOnly": True,
            "description": "A secret; use ${env:NAME} or ${file:path}",
        }
    raise NotImplementedError(type_)
