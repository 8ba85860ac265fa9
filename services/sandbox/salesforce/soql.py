"""SOQL: ``SELECT f1, f2 FROM Obj [WHERE ...] [ORDER BY ...] [LIMIT n] [OFFSET n]``, ``SELECT COUNT() FROM Obj ...``.

Refused in bulk SOQL: ``COUNT``, ``ROLLUP``, ``SUM``, ``GROUP BY CUBE``, ``OFFSET``, nested queries, compound fields.
salesforce_bulk.md §3.8 [docs]. Of these the REST query call has ``COUNT()`` and ``OFFSET``. [assumed]
"""

from typing import Literal, NamedTuple

from sandbox.salesforce.refusals import QueryRefused
from sandbox.salesforce.soql_tokens import Token, tokens

_MAX_DEPTH = 50
_SIGNS = {"=": "=", "!=": "!=", "<>": "!=", "<": "<", "<=": "<=", ">": ">", ">=": ">="}
_NOT_SUPPORTED = ("GROUP", "HAVING")


class Comparison(NamedTuple):
    """Condition on one field; several literals for ``IN`` and ``NOT IN`` only."""

    field: str
    sign: str
    literals: list[Token]


class Combined(NamedTuple):
    """All (``AND``) or any (``OR``) of the conditions, or the negation of the only one (``NOT``)."""

    operator: Literal["AND", "OR", "NOT"]
    conditions: "list[Condition]"


Condition = Comparison | Combined


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
    return _Parser(tokens(soql)).query()


def parse_bulk(soql: str) -> Query:
    """Parse a query of the Bulk APIs. Raises ``QueryRefused`` for ``COUNT()`` and ``OFFSET``, too. §3.8 [docs]"""
    query = parse(soql)
    for word, is_used in (("COUNT()", query.counts), ("OFFSET", query.offset is not None)):
        if is_used:
            raise QueryRefused("MALFORMED_QUERY", f"{word} is not supported by the Bulk API")
    return query


class _Parser:
    """Recursive descent over the tokens."""

    def __init__(self, found: list[Token]) -> None:
        self._tokens = found
        self._at = 0
        self._depth = 0

    def query(self) -> Query:
        self._expect("SELECT")
        fields = [] if self._take_count() else self._fields()
        self._expect("FROM")
        object_name = self._name()
        where = self._any_of() if self._take("WHERE") else None
        if self._next.word in _NOT_SUPPORTED:
            raise QueryRefused("MALFORMED_QUERY", f"{self._next.word} is not supported")
        order = self._order() if self._take("ORDER") else []
        limit = self._whole_number() if self._take("LIMIT") else None
        offset = self._whole_number() if self._take("OFFSET") else None
        if self._next.kind != "end":
            raise self._unexpected()
        return Query(fields, object_name, where, order, limit, offset)

    def _take_count(self) -> bool:
        """Take ``COUNT()``, which stands alone."""
        following = self._tokens[self._at : self._at + 3]
        if following[0].word != "COUNT" or following[1:] != [("sign", "("), ("sign", ")")]:
            return False
        self._at += 3
        return True

    def _fields(self) -> list[str]:
        found = [self._selected()]
        while self._take_sign(","):
            found.append(self._selected())
        return found

    def _selected(self) -> str:
        if self._take_sign("("):
            raise QueryRefused("MALFORMED_QUERY", "nested queries are not supported")
        name = self._name()
        if self._take_sign("("):
            raise QueryRefused("MALFORMED_QUERY", f"{name.upper()}() of a field is not supported")
        return name

    def _any_of(self) -> Condition:
        conditions = [self._all_of()]
        while self._take("OR"):
            conditions.append(self._all_of())
        return conditions[0] if len(conditions) == 1 else Combined("OR", conditions)

    def _all_of(self) -> Condition:
        conditions = [self._one()]
        while self._take("AND"):
            conditions.append(self._one())
        return conditions[0] if len(conditions) == 1 else Combined("AND", conditions)

    def _one(self) -> Condition:
        self._depth += 1
        if self._depth > _MAX_DEPTH:
            raise QueryRefused("MALFORMED_QUERY", "conditions are nested too deeply")
        try:
            if self._take("NOT"):
                return Combined("NOT", [self._one()])
            if self._take_sign("("):
                inner = self._any_of()
                self._expect_sign(")")
                return inner
            return self._comparison()
        finally:
            self._depth -= 1

    def _comparison(self) -> Comparison:
        field = self._name()
        if self._take("LIKE"):
            return Comparison(field, "LIKE", [self._literal()])
        if self._take("IN"):
            return Comparison(field, "IN", self._literals())
        if self._take("NOT"):
            self._expect("IN")
            return Comparison(field, "NOT IN", self._literals())
        sign = _SIGNS.get(self._next.value) if self._next.kind == "sign" else None
        if sign is None:
            raise self._unexpected()
        self._at += 1
        return Comparison(field, sign, [self._literal()])

    def _literals(self) -> list[Token]:
        self._expect_sign("(")
        if self._next.word == "SELECT":
            raise QueryRefused("MALFORMED_QUERY", "nested queries are not supported")
        found = [self._literal()]
        while self._take_sign(","):
            found.append(self._literal())
        self._expect_sign(")")
        return found

    def _literal(self) -> Token:
        token = self._next
        if token.kind in ("sign", "end") or (token.kind == "name" and token.word not in ("NULL", "TRUE", "FALSE")):
            raise self._unexpected()
        self._at += 1
        return token

    def _order(self) -> list[Order]:
        self._expect("BY")
        found = [self._ordered()]
        while self._take_sign(","):
            found.append(self._ordered())
        return found

    def _ordered(self) -> Order:
        field = self._name()
        descending = self._take("DESC")
        if not descending:
            self._take("ASC")
        nulls_last = False
        if self._take("NULLS"):
            nulls_last = self._take("LAST")
            if not nulls_last:
                self._expect("FIRST")
        return Order(field, descending, nulls_last)

    def _whole_number(self) -> int:
        token = self._next
        if token.kind != "number" or not token.value.isdigit() or len(token.value) > 12:
            raise self._unexpected()
        self._at += 1
        return int(token.value)

    @property
    def _next(self) -> Token:
        return self._tokens[self._at]

    def _name(self) -> str:
        token = self._next
        if token.kind != "name":
            raise self._unexpected()
        self._at += 1
        return token.value

    def _take(self, word: str) -> bool:
        taken = self._next.word == word
        self._at += taken
        return taken

    def _take_sign(self, sign: str) -> bool:
        taken = self._next == ("sign", sign)
        self._at += taken
        return taken

    def _expect(self, word: str) -> None:
        if not self._take(word):
            raise self._unexpected()

    def _expect_sign(self, sign: str) -> None:
        if not self._take_sign(sign):
            raise self._unexpected()

    def _unexpected(self) -> QueryRefused:
        return QueryRefused("MALFORMED_QUERY", f"unexpected token: {self._next.value or 'the end'}")
