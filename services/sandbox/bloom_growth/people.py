"""Users, their seats and their managers. bloom_growth.md §3 row 34, §8. They are those of the seed."""

from collections.abc import Iterable
from typing import NamedTuple

import msgspec

from sandbox.bloom_growth.refusals import Refusal, no_such


class UserView(msgspec.Struct, frozen=True, kw_only=True, rename="pascal", gc=False):
    """A user as in every answer. §4, §8 [client]; ``Type`` and ``Key`` by analogy [assumed]"""

    id: int
    type: str
    key: str
    name: str
    image_url: str


class User(msgspec.Struct, frozen=True, kw_only=True):
    """A person, or with an empty ``email`` a placeholder for a future one (§8)."""

    id: int
    name: str
    email: str
    position: str
    organization_id: int
    manager_id: int | None
    image_url: str

    @property
    def view(self) -> UserView:
        return UserView(
            id=self.id, type="AngularUser", key=f"AngularUser_{self.id}", name=self.name, image_url=self.image_url
        )


class Seat(NamedTuple):
    """A place in the accountability chart. Its position may have no name. §8 [client], changelog 0.19.0"""

    user_id: int
    position_id: int
    position: str | None


class Team(NamedTuple):
    """A team, which only searches find. §8 [docs:ref]"""

    id: int
    name: str
    organization_id: int


class Directory:
    """All users, by id and by e-mail address, with the seats and teams."""

    def __init__(self) -> None:
        self.fill((), (), ())

    def fill(self, users: Iterable[User], seats: Iterable[Seat], teams: Iterable[Team]) -> None:
        """Replace all users, seats and teams."""
        self.users = {user.id: user for user in users}
        self.views = {user.id: user.view for user in self.users.values()}
        self.seats = tuple(seats)
        self.teams = tuple(teams)

    def by_email(self, email: str) -> User | None:
        found = (user for user in self.users.values() if user.email and user.email == email)
        return next(found, None)

    def organization_of(self, user_id: int) -> int:
        return self.users[user_id].organization_id

    def require(self, user_id: int, caller: User) -> User:
        """Return a user of the caller's organization. Raises ``Refusal``: 404 if unknown, 403 if of another."""
        user = self.users.get(user_id)
        if user is None:
            raise no_such("user", user_id)
        if user.organization_id != caller.organization_id:
            raise forbidden()
        return user


def forbidden() -> Refusal:
    """Return the 403 for an object of another organization. §13.4 [assumed]"""
    return Refusal(403, "You do not have permission to this resource.")
