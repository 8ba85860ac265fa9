"""Reads of people: users, who reports to them, their seats. bloom_growth.md §3 row 34, §8 [client]."""

from sandbox.bloom_growth.call import Call
from sandbox.bloom_growth.people import Directory, User, UserView


class UserReads:
    """Handlers of reads of people."""

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

    def _find(self, call: Call) -> User:
        return self._people.require(call.number("uid"), call.caller)
