"""Reads of people: users, their reports and seats, and searches. bloom_growth.md §3 row 34, §8 [client], [docs:ref]."""

from collections.abc import Iterable, Iterator

import msgspec
from msgspec import UNSET, UnsetType

from sandbox.bloom_growth.call import Call
from sandbox.bloom_growth.people import Directory, User, UserView
from sandbox.bloom_growth.refusals import Refusal


class SearchHit(msgspec.Struct, kw_only=True, rename="pascal", gc=False):
    """A hit. ``ResultType`` is in ``search/all`` only; a placeholder's ``Email`` is empty."""

    id: int
    name: str
    description: str = ""
    email: str = ""
    organization_id: int
    image_url: str = ""
    result_type: str | UnsetType = UNSET


class UserReads:
    """Handlers of reads of people. Searches find what is in the caller's organization, teams and positions too."""

    def __init__(self, people: Directory) -> None:
        self._people = people

    def me(self, call: Call) -> UserView:
        return call.caller.view

    def read(self, call: Call) -> UserView:
        return self._find(call).view

    def direct_reports(self, call: Call) -> list[UserView]:
        manager = self._find(call)
        return [user.view for user in self._people.users.values() if user.manager_id == manager.id]

    def seats(self, call: Call) -> list[object]:
        """List a user's positions, each in two wrappers. Live, ``Name`` may be null. §8, changelog 0.19.0"""
        user = self._find(call)
        seats = [seat for seat in self._people.seats if seat.user_id == user.id]
        return [{"Group": {"Position": {"Id": seat.position_id, "Name": seat.position}}} for seat in seats]

    def search_users(self, call: Call) -> list[SearchHit]:
        """Find the users who can log in."""
        return _matching(call, (_user_hit(user) for user in self._people.users.values() if user.email))

    def search_all(self, call: Call) -> list[SearchHit]:
        return _matching(call, self._everything())

    def _find(self, call: Call) -> User:
        return self._people.require(call.number("uid"), call.caller)

    def _everything(self) -> Iterator[SearchHit]:
        for user in self._people.users.values():
            yield _user_hit(user, result_type="User")
        for team in self._people.teams:
            yield SearchHit(id=team.id, name=team.name, organization_id=team.organization_id, result_type="Team")
        for seat in self._people.seats:
            organization_id, name = self._people.organization_of(seat.user_id), seat.position or ""
            yield SearchHit(id=seat.position_id, name=name, organization_id=organization_id, result_type="Position")


def _matching(call: Call, found: Iterable[SearchHit]) -> list[SearchHit]:
    """Return those of the caller's organization that match the query's term. Raises ``Refusal`` 400 without a term."""
    term = call.arguments.get("term")
    if term is None:
        raise Refusal(400, "The request is invalid: term is required.")
    ours = (one for one in found if one.organization_id == call.caller.organization_id)
    return [one for one in ours if _matches(one, term.lower())]


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
