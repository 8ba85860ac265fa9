"""The endpoints ``GET search/user`` and ``GET search/all``. bloom_growth.md §8 [client], [docs:ref]."""

from collections.abc import Iterator

import msgspec
from msgspec import UNSET, UnsetType

from sandbox.bloom_growth.call import Call
from sandbox.bloom_growth.people import Directory, User
from sandbox.bloom_growth.refusals import Refusal


class SearchHit(msgspec.Struct, kw_only=True, rename="pascal", gc=False):
    """A hit. ``ResultType`` is in ``search/all`` only; a placeholder's ``Email`` is empty."""

    id: int
    name: str
    description: str
    email: str
    organization_id: int
    image_url: str
    result_type: str | UnsetType = UNSET


class Searches:
    """Handlers of searches in the caller's organization: for people, or for people, teams and positions."""

    def __init__(self, people: Directory) -> None:
        self._people = people

    def users(self, call: Call) -> list[SearchHit]:
        """Find the users who can log in."""
        term = _term(call)
        return [_user_hit(user) for user in self._colleagues(call) if user.email and _matches(_user_hit(user), term)]

    def everything(self, call: Call) -> list[SearchHit]:
        term = _term(call)
        return [found for found in self._everything(call) if _matches(found, term)]

    def _colleagues(self, call: Call) -> Iterator[User]:
        organization_id = call.caller.organization_id
        return (user for user in self._people.users.values() if user.organization_id == organization_id)

    def _everything(self, call: Call) -> Iterator[SearchHit]:
        organization_id = call.caller.organization_id
        for user in self._colleagues(call):
            yield _user_hit(user, result_type="User")
        for team in self._people.teams:
            if team.organization_id == organization_id:
                yield _group_hit(team.id, team.name, organization_id, "Team")
        for seat in self._people.seats:
            if self._people.organization_of(seat.user_id) == organization_id:
                yield _group_hit(seat.position_id, seat.position or "", organization_id, "Position")


def _term(call: Call) -> str:
    term = call.arguments.get("term")
    if term is None:
        raise Refusal(400, "The request is invalid: term is required.")
    return term.lower()


def _matches(found: SearchHit, term: str) -> bool:
    """Return whether the parts between the term's ``%`` occur in order. The SDK lists all users by ``%``. §8"""
    text = "\n".join((found.name, found.description, found.email)).lower()
    start = 0
    for part in term.split("%"):
        at = text.find(part, start)
        if at < 0:
            return False
        start = at + len(part)
    return True


def _user_hit(user: User, *, result_type: str | UnsetType = UNSET) -> SearchHit:
    return SearchHit(
        id=user.id,
        name=user.name,
        description=user.position,
        email=user.email,
        organization_id=user.organization_id,
        image_url=user.image_url,
        result_type=result_type,
    )


def _group_hit(key: int, name: str, organization_id: int, result_type: str) -> SearchHit:
    return SearchHit(
        id=key,
        name=name,
        description="",
        email="",
        organization_id=organization_id,
        image_url="",
        result_type=result_type,
    )
