"""Fields of a record's data, checked against the shape of its object. Raises ``Rejection`` and nothing else."""

import difflib
from collections.abc import Iterable, Sequence
from typing import Any

import msgspec

from sluice.destinations.bloom_growth.shapes import Field
from sluice.destinations.contract import Rejection


def decode_data(data: msgspec.Raw) -> dict[str, Any]:
    """Decode ``data``, an object; fractions stay the digits they came in."""
    try:
        return _decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Rejection("bad-data", f"expected data to be an object of fields: {error}; correct it upstream") from error


def read_fields(
    data: dict[str, Any], fields: Sequence[Field], fixed: Sequence[str] = (), *, null_is_absent: bool
) -> dict[str, Any]:
    """Return the values of ``fields`` that ``data`` has, by name; ``fixed`` are those that cannot be changed."""
    values = {}
    for field in fields:
        value = data.get(field.name)
        if value is None and (null_is_absent or field.name not in data):
            if field.required:
                raise Rejection("missing-field", f"expected the field `{field.name}`, got none; add it upstream")
            continue
        if value is None:
            # Null may mean "leave alone" on the wire (§6 [assumed]), so it would be a change that does nothing.
            raise Rejection(
                "bad-value", f"field `{field.name}`: expected a value, got null, which clears nothing; leave it out"
            )
        values[field.name] = field.read(field.name, value)
    known = {field.name for field in fields}
    for name in data:
        if name in known or (data[name] is None and null_is_absent and name in fixed):
            continue
        if name in fixed:
            raise Rejection(
                "unchangeable-field",
                f"expected only fields that can be changed ({_listed(known)}), got `{name}`, which Bloom Growth cannot "
                "change; leave it out",
            )
        raise Rejection(
            "unknown-field", f"expected {_listed(known) or 'no fields'}, got `{name[:40]}`{nearest(name, known)}"
        )
    return values


def body_of(values: dict[str, Any], fields: Iterable[Field]) -> msgspec.Raw:
    """Return the request body with those of ``values`` that have a name on the wire."""
    body = {field.wire: values[field.name] for field in fields if field.wire and field.name in values}
    return msgspec.Raw(_encode(body))


def nearest(word: str, known: Iterable[str]) -> str:
    """Return the end of a message about an unknown ``word`` that names the known one that is closest, if one is."""
    close = difflib.get_close_matches(word, known, n=1, cutoff=0.5)
    return f"; did you mean `{close[0]}`?" if close else "; correct it upstream"


def _listed(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in sorted(names))


_decode = msgspec.json.Decoder(dict[str, Any], float_hook=lambda digits: msgspec.Raw(digits.encode())).decode
_encode = msgspec.json.Encoder().encode
