"""Subset of Velocity that import and export templates may use. liquid_decisions.md §7 [assumed].

``$name``, ``${name}``, ``$!name`` and ``$!{name}`` stand for values. Directives (``#`` and a word or sign) are unknown.
"""

import re
from collections.abc import Mapping

from sandbox.liquid_decisions.refusal import Refusal

_MAX_LENGTH = 2**16
_DIRECTIVE = re.compile(r"#[a-zA-Z{@#*\[]")
_REFERENCE = re.compile(r"\$(?P<quiet>!?)(?:\{(?P<formal>[A-Za-z_]\w*)\}|(?P<plain>[A-Za-z_]\w*))")


class Template:
    """Text with references. Raises ``Refusal`` for a directive."""

    def __init__(self, text: str) -> None:
        if len(text) > _MAX_LENGTH:
            raise Refusal(f"template: expected at most {_MAX_LENGTH} letters")
        directive = _DIRECTIVE.search(text)
        if directive is not None:
            raise Refusal(f"template: the sandbox knows no directives, found {directive[0]!r}")
        self._text = text

    @property
    def names(self) -> list[str]:
        """Names that it refers to, in order, each once."""
        found = (match["formal"] or match["plain"] for match in _REFERENCE.finditer(self._text))
        return list(dict.fromkeys(found))

    def render(self, values: Mapping[str, str]) -> str:
        """Put the values in as they are. An unknown reference stays as written, and is left out when quiet."""

        def value_of(match: re.Match[str]) -> str:
            missing = "" if match["quiet"] else match[0]
            return values.get(match["formal"] or match["plain"], missing)

        return _REFERENCE.sub(value_of, self._text)
