"""`GET search/user` and `GET search/all`. bloom_growth.md §8 [client], [docs:ref]."""

from collections.abc import Iterator

import msgspec
from msgspec import UNSET, UnsetType

from sandbox.bloom_growth.call import Call
from sandbox.bloom_growth.people import Directory, User
from sandbox.bloom_growth.refusals import Refusal


class Found(msgspec.Struct, kw_only=True, rename="pascal", gc=False):
    """A hit. `ResultType` is in `search/all` only; a placeholder's `Email` is empty."""

    id: int
    name: str
    description: str
    email: str
    organization_id: int
    image_url: str
    result_type: str | UnsetType = UNSET


class Searches:
    """Finds people, and among all there is teams and positions too, in the caller's organization."""

    def __init__(self, people: Directory) -> None:
        self._people = people

    def users(self, call: Call) -> list[Found]:
        """Those who can log in."""
        term = _term(call)
        return [_person(user) for user in self._colleagues(call) if user.email and _fits(_person(user), term)]

    def everything(self, call: Call) -> list[Found]:
        term = _term(call)
        return [found for found in self._everything(call) if _fits(found, term)]

    def _colleagues(self, call: Call) -> Iterator[User]:
        organization_id = call.caller.organization_id
        return (user for user in self._people.users.values() if user.organization_id == organization_id)

    def _everything(self, call: Call) -> Iterator[Found]:
        organization_id = call.caller.organization_id
        for user in self._colleagues(call):
            yield _person(user, result_type="User")
        for team in self._people.teams:
            if team.organization_id == organization_id:
                yield _thing(team.id, team.name, organization_id, "Team")
        for seat in self._people.seats:
            if self._people.organization_of(seat.user_id) == organization_id:
                yield _thing(seat.position_id, seat.position or "", organization_id, "Position")


def _term(call: Call) -> str:
    term = call.arguments.get("term")
    if term is None:
        raise Refusal(400, "The request is invalid: term is required.")
    return term.lower()


def _fits(found: Found, term: str) -> bool:
    """Whether the parts between the term's `%` come one after another. The SDK lists everybody by `%`. §8"""
    text = "\n".join((found.name, found.description, found.email)).lower()
    start = 0
    for part in term.split("%"):
        at = text.find(part, start)
        if at < 0:
            return False
        start = at + len(part)
    return True


def _person(user: User, *, result_type: str | UnsetType = UNSET) -> Found:
    return Found(
        id=user.id,
        name=user.name,
        description=user.position,
        email=user.email,
        organization_id=user.organization_id,
        image_url=user.image_url,
        result_type=result_type,
    )


def _thing(key: int, name: str, organization_id: int, result_type: str) -> Found:
    return Found(
        id=key,
        name=name,
        description="",
        email="",
        organization_id=organization_id,
        image_url="",
        result_type=result_type,
    )
