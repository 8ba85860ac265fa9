"""SOQL: ``SELECT f1, f2 FROM Obj [WHERE ...] [ORDER BY ...] [LIMIT n] [OFFSET n]``, ``SELECT COUNT() FROM Obj ...``.

Refused in bulk SOQL: ``COUNT``, ``ROLLUP``, ``SUM``, ``GROUP BY CUBE``, ``OFFSET``, nested queries, compound fields.
salesforce_bulk.md §3.8 [docs]. Of these the REST query call has ``COUNT()`` and ``OFFSET``. [assumed]
"""

import re
from typing import Literal, NamedTuple

from lark import Lark, Token, Transformer, Tree, UnexpectedCharacters, UnexpectedToken, v_args

from sandbox.salesforce.refusals import QueryRefused

_MAX_DEPTH = 50
_NOT_SUPPORTED = ("GROUP", "HAVING")
_ESCAPES = {"n": "\n", "r": "\r", "t": "\t", "b": "\b", "f": "\f"}

# No maintained library reads SOQL, and libraries for SQL read neither its dates nor its escapes.
# A word is a keyword only where the grammar expects one: an object may be called ``Order``.
_GRAMMAR = r"""
query: _SELECT fields _FROM NAME [_WHERE where] orders [_LIMIT whole] [_OFFSET whole]
fields: _COUNT | field ("," field)*
?field: NAME | NAME "(" [NAME] ")" -> function | nested
nested: "(" query ")"

where: any
?any: all | all (_OR all)+ -> or
?all: one | one (_AND one)+ -> and
?one: comparison | _NOT one -> not | "(" any ")" -> parenthesis
comparison: NAME (SIGN | LIKE) literal | NAME IN "(" literal ("," literal)* ")" | NAME IN nested
?literal: text | NUMBER | DATE | DATETIME | NULL | BOOLEAN

text: TEXT

orders: (_ORDER_BY order ("," order)*)?
order: NAME [DIRECTION] [NULLS]
whole: /\d{1,12}\b/

_SELECT: /select\b/i
_COUNT.1: /count\s*\(\s*\)/i
_FROM: /from\b/i
_WHERE: /where\b/i
_OR: /or\b/i
_AND: /and\b/i
_NOT.1: /not\b/i
LIKE: /like\b/i
IN: /(not\s+)?in\b/i
NULL: /null\b/i
BOOLEAN: /(true|false)\b/i
_ORDER_BY: /order\s+by\b/i
DIRECTION: /(asc|desc)\b/i
NULLS: /nulls\s+(first|last)\b/i
_LIMIT: /limit\b/i
_OFFSET: /offset\b/i

NAME: /[a-z_]\w*(\.[a-z_]\w*)*/i
SIGN: /[<>!]=|<>|[<=>]/
TEXT: /'([^'\\]|\\.)*'/s
DATETIME.2: /\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?(Z|[+-]\d\d:?\d\d)/
DATE.1: /\d{4}-\d\d-\d\d/
NUMBER: /[+-]?\d+(\.\d+)?/
%ignore /\s+/
"""


class Comparison(NamedTuple):
    """Condition on one field; several literals for ``IN`` and ``NOT IN`` only.

    The type of a literal is ``TEXT``, ``NUMBER``, ``DATE``, ``DATETIME``, ``NULL`` or ``BOOLEAN``; a text is unescaped.
    """

    field: str
    sign: str
    literals: list[Token]


class Combined(NamedTuple):
    """All (``AND``) or any (``OR``) of the conditions, or the negation of the only one (``NOT``)."""

    operator: Literal["AND", "OR", "NOT"]
    conditions: "list[Condition]"


Condition = Comparison | Combined
_Node = Comparison | Tree[Comparison]


class Order(NamedTuple):
    """One field of ``ORDER BY``. Without ``NULLS`` nulls come first, in either direction."""

    field: str
    descending: bool
    nulls_last: bool


class Query(NamedTuple):
    """Parsed query, with names as it spells them. ``COUNT()`` has no fields."""

    fields: list[str]
    object_name: str
    where: Condition | None
    order: list[Order]
    limit: int | None
    offset: int | None

    @property
    def counts(self) -> bool:
        return not self.fields


def parse(soql: str) -> Query:
    """Parse a query. Raises ``QueryRefused``, which names grouping and any sum but ``COUNT()`` as the reason."""
    try:
        return _parser.parse(soql)  # type: ignore[return-value]
    except UnexpectedToken as error:
        if error.token.upper() in _NOT_SUPPORTED:
            raise _refused(f"{error.token.upper()} is not supported") from None
        raise _refused(f"unexpected token: {error.token or 'the end'}") from None
    except UnexpectedCharacters as error:
        raise _refused(f"unexpected token: {soql[error.pos_in_stream :][:20]}") from None


def parse_bulk(soql: str) -> Query:
    """Parse a query of the Bulk APIs. Raises ``QueryRefused`` for ``COUNT()`` and ``OFFSET``, too. §3.8 [docs]"""
    query = parse(soql)
    for word, is_used in (("COUNT()", query.counts), ("OFFSET", query.offset is not None)):
        if is_used:
            raise _refused(f"{word} is not supported by the Bulk API")
    return query


@v_args(inline=True)
class _Builder(Transformer[Token, Query]):
    """Values of the grammar's rules. Conditions that hold others stay trees until ``where``, which knows the depth."""

    query = Query
    whole = int

    def fields(self, *names: str) -> list[str]:
        return list(names)

    def function(self, name: Token, _: Token | None) -> str:
        raise _refused(f"{name.upper()}() of a field is not supported")

    def nested(self, _: Query) -> str:
        raise _refused("nested queries are not supported")

    def where(self, node: _Node) -> Condition:
        return _condition(node)

    def comparison(self, field: Token, sign: Token, *literals: Token) -> Comparison:
        spelt = " ".join(sign.upper().split())
        return Comparison(field, "!=" if spelt == "<>" else spelt, list(literals))

    def text(self, quoted: Token) -> Token:
        text = re.sub(r"\\(.)", lambda escape: _ESCAPES.get(escape[1], escape[1]), quoted[1:-1], flags=re.DOTALL)
        return quoted.update(value=text)

    def orders(self, *orders: Order) -> list[Order]:
        return list(orders)

    def order(self, field: Token, direction: Token | None, nulls: Token | None) -> Order:
        return Order(field, (direction or "").upper() == "DESC", (nulls or "").upper().endswith("LAST"))


def _condition(node: _Node, depth: int = 1) -> Condition:
    if depth > _MAX_DEPTH:
        raise _refused("conditions are nested too deeply")
    if isinstance(node, Comparison):
        return node
    if node.data == "parenthesis":
        return _condition(node.children[0], depth + 1)
    inner = [_condition(one, depth + (node.data == "not")) for one in node.children]
    return Combined(node.data.upper(), inner)  # type: ignore[arg-type]


def _refused(detail: str) -> QueryRefused:
    return QueryRefused("MALFORMED_QUERY", detail)


_parser = Lark(_GRAMMAR, start="query", parser="lalr", transformer=_Builder(), g_regex_flags=re.ASCII)
