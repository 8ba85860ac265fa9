"""Tokens of SOQL. No maintained library reads SOQL, and libraries for SQL read neither its dates nor its escapes."""

import re
from typing import Literal, NamedTuple

from sandbox.salesforce.refusals import QueryRefused

Kind = Literal["name", "text", "number", "datetime", "date", "sign", "end"]

_TOKEN = re.compile(
    r"""\s*(?:
      (?P<text>'(?:[^'\\]|\\.)*')
    | (?P<datetime>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,3})?(?:Z|[+-]\d\d:?\d\d))
    | (?P<date>\d{4}-\d\d-\d\d)
    | (?P<number>[+-]?\d+(?:\.\d+)?)
    | (?P<name>[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*)
    | (?P<sign><=|>=|<>|!=|[=<>(),])
    | (?P<end>\Z)
    )""",
    re.VERBOSE | re.DOTALL | re.ASCII,
)
_ESCAPES = {"n": "\n", "r": "\r", "t": "\t", "b": "\b", "f": "\f"}


class Token(NamedTuple):
    """One token. The value of a text is between the quotes, unescaped."""

    kind: Kind
    value: str

    @property
    def word(self) -> str:
        """Name in upper case; empty for anything else."""
        return self.value.upper() if self.kind == "name" else ""


def tokens(soql: str) -> list[Token]:
    """Return all tokens, ``end`` as the last. Raises ``QueryRefused``."""
    found: list[Token] = []
    at = 0
    while not found or found[-1].kind != "end":
        match = _TOKEN.match(soql, at)
        if match is None:
            raise QueryRefused("MALFORMED_QUERY", f"unexpected token: {soql[at:].strip()[:20]}")
        at = match.end()
        found.append(_token(match))
    return found


def _token(match: re.Match[str]) -> Token:
    kind = match.lastgroup
    assert kind is not None
    value = match[kind]
    if kind == "text":
        value = re.sub(r"\\(.)", lambda escape: _ESCAPES.get(escape[1], escape[1]), value[1:-1], flags=re.DOTALL)
    return Token(kind, value)  # type: ignore[arg-type]
