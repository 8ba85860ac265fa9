"""Sessions, which end by inactivity. salesforce_bulk.md §2.2.

A session id from a SOAP login is accepted as a Bearer token, and an OAuth token as ``X-SFDC-Session``. [docs]
"""

import secrets
from typing import NamedTuple

from sandbox.clock import Clock
from sandbox.http.authorization import bearer_token
from sandbox.http.messages import Request
from sandbox.salesforce import ids
from sandbox.salesforce.settings import Settings, User
from sandbox.token_table import TokenTable


class OrgUser(NamedTuple):
    """User of the org, counted from 1."""

    number: int
    user: User

    @property
    def id(self) -> str:
        return ids.make(ids.USER, self.number)


class Sessions:
    """Sessions that are alive. Jobs belong to users and outlive sessions."""

    def __init__(self, settings: Settings, clock: Clock) -> None:
        self._lifetime_s = settings.session_lifetime_s
        self._org_id = settings.org_id
        self._users = {user.username: OrgUser(number, user) for number, user in enumerate(settings.users, 1)}
        self._alive = TokenTable[OrgUser](clock)

    def __len__(self) -> int:
        return len(self._alive)

    def user(self, username: str) -> OrgUser | None:
        return self._users.get(username)

    def open(self, user: OrgUser) -> str:
        """Make a session: the org's id, ``!``, and a random text. §2.1 [docs]"""
        session_id = f"{self._org_id[:15]}!{secrets.token_urlsafe(48).replace('-', '.')}"
        return self._alive.issue(user, self._lifetime_s, name=session_id)

    def find(self, request: Request) -> OrgUser | None:
        """Return the user of the session in the request, from either header."""
        return self.renew(given_session_id(request))

    def renew(self, session_id: str) -> OrgUser | None:
        """Return the user of a session that is alive, and renew it, as any use does. §2.2 [docs]

        A session with an expired password is refused by every data call. §2.1 [docs]
        """
        user = self._alive.find(session_id)
        if user is None:
            return None
        self._alive.issue(user, self._lifetime_s, name=session_id)
        return None if user.user.password_expired else user

    def expire_all(self) -> int:
        """End every session and return how many were alive."""
        return self._alive.end_all()


def given_session_id(request: Request) -> str:
    """Return the id of ``X-SFDC-Session`` or ``Authorization: Bearer`` (before: ``OAuth``); empty without one."""
    named = request.header("x-sfdc-session").strip()
    if named:
        return named
    return bearer_token(request.header("authorization"), "oauth")
