"""One authorized call, as the resources see it, and the effect of a write."""

from functools import cached_property
from typing import Annotated, Literal, NamedTuple, TypeVar

import msgspec

from sandbox.bloom_growth.binding import bind
from sandbox.bloom_growth.people import User
from sandbox.bloom_growth.refusals import Refusal
from sandbox.http.messages import Request, first_values

Fields = TypeVar("Fields")
Effect = Literal["CREATED", "CHANGED", "UNCHANGED", "DELETED"]
_FLAGS = {"true": True, "false": False}
_MAX_NUMBER = 2**63 - 1
_MAX_DIGITS = 19
Id = Annotated[int, msgspec.Meta(ge=-(2**63), le=_MAX_NUMBER)]
"""64-bit id. §1 [docs:ref]"""


class Call(msgspec.Struct, kw_only=True, dict=True):
    """A request by ``caller``, "me" (§2), at ``now``: seconds since 1970 by the sandbox's clock."""

    request: Request
    caller: User
    now: float

    def number(self, name: str = "id") -> int:
        """Return a number from the path. Raises ``Refusal`` 400 if it is not one."""
        text = self.request.params[name]
        is_number = text.isascii() and text.isdigit() and len(text) <= _MAX_DIGITS
        if not is_number or int(text) > _MAX_NUMBER:
            raise Refusal(400, f"The request is invalid: {name} expected a whole number, got {text!r:.100}")
        return int(text)

    def body(self, fields: type[Fields]) -> Fields:
        return bind(self.request, fields)

    def flag(self, name: str, *, default: bool = False) -> bool:
        """Return a boolean of the query; ``name`` is lower case, on the wire in any case. Raises ``Refusal`` 400."""
        text = self.arguments.get(name)
        if text is None:
            return default
        if text.lower() not in _FLAGS:
            raise Refusal(400, f"The request is invalid: {name} expected true or false, got {text!r:.100}")
        return _FLAGS[text.lower()]

    @cached_property
    def arguments(self) -> dict[str, str]:
        """Query parameters by lower-case names. §1 [client], [docs:ref]"""
        return {name.lower(): value for name, value in first_values(self.request.query).items()}


class Written(NamedTuple):
    """Effect of a write: the ``key`` of its object, and the body of the answer; null is an empty body.

    ``title`` is the name that a create or an update gave its object: only the title identifies a repeated create (§12).
    """

    key: str
    effect: Effect
    body: object = None
    title: str | None = None


def updated(key: int, *, differs: bool, body: object = None, title: str | None = None) -> Written:
    """Return a write to an existing object, which is unchanged unless it ``differs``; ``title`` as it was sent."""
    return Written(str(key), "CHANGED" if differs else "UNCHANGED", body, title)
