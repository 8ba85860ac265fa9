"""Check of usernames and passwords. salesforce_bulk.md §2.1."""

from collections import Counter

from sandbox.clock import Clock
from sandbox.salesforce.limits import Budget
from sandbox.salesforce.sessions import OrgUser, Sessions
from sandbox.salesforce.settings import Settings

_HOUR_S = 3600
_MESSAGES = {
    "INVALID_LOGIN": "Invalid username, password, security token; or user locked out.",
    "LOGIN_MUST_USE_SECURITY_TOKEN": (
        "Invalid username, password, security token; or user locked out. Are you at a new location? When accessing "
        "Salesforce--either via a desktop client or the API--from outside of your company's trusted networks, you must "
        "add a security token to your password to log in."
    ),
    "PASSWORD_LOCKOUT": "User locked out because of too many failed logins.",
    "LOGIN_RATE_EXCEEDED": "login rate limit exceeded",
}


class LoginRefused(Exception):
    """Refused login; ``code`` is an ``exceptionCode`` of §2.1."""

    def __init__(self, code: str, message: str = "") -> None:
        super().__init__(message or _MESSAGES.get(code, code))
        self.code = code


class Credentials:
    """Checker of passwords, which counts logins and wrong passwords."""

    def __init__(self, settings: Settings, sessions: Sessions, clock: Clock) -> None:
        self._settings = settings
        self._sessions = sessions
        self._clock = clock
        self.clear()

    def clear(self) -> None:
        self._logins: dict[str, Budget] = {}
        self._wrong: Counter[str] = Counter()
        self._locked_until: dict[str, float] = {}

    def check(self, username: str, password: str) -> OrgUser:
        """Return the user if ``password`` is password and security token without a separator. Raises ``LoginRefused``.

        From a trusted network the token may be left out. §2.1 [docs]
        """
        user = self._sessions.user(username)
        if user is None:
            raise LoginRefused("INVALID_LOGIN")
        if self._locked_until.get(username, 0.0) > self._clock.now():
            raise LoginRefused("PASSWORD_LOCKOUT")
        right = user.user.password + user.user.security_token
        if password == user.user.password != right and not self._settings.trusted_network:
            raise LoginRefused("LOGIN_MUST_USE_SECURITY_TOKEN")
        if password not in (right, user.user.password):
            self._count_wrong(username)
            raise LoginRefused("INVALID_LOGIN")
        del self._wrong[username]
        self.count_login(user)
        return user

    def count_login(self, user: OrgUser) -> None:
        """Raise ``LoginRefused`` beyond the hourly rate. §2.1 [docs], figure [assumed]"""
        name = user.user.username
        if name not in self._logins:
            self._logins[name] = Budget(self._settings.max_logins_per_hour, self._clock, window_s=_HOUR_S)
        if not self._logins[name].take():
            raise LoginRefused("LOGIN_RATE_EXCEEDED")

    def _count_wrong(self, username: str) -> None:
        """Lock the user out after too many wrong passwords in a row. [assumed: the platform's defaults]"""
        self._wrong[username] += 1
        if self._wrong[username] >= self._settings.max_wrong_passwords:
            del self._wrong[username]
            self._locked_until[username] = self._clock.now() + self._settings.lockout_s
