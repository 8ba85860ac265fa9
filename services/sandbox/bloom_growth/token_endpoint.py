"""``POST /Token``: a token for an e-mail address and password. bloom_growth.md §2: [client], [docs:help]."""

from email.utils import formatdate
from secrets import compare_digest

from sandbox.bloom_growth.people import Directory
from sandbox.bloom_growth.settings import Settings
from sandbox.bloom_growth.tokens import Tokens
from sandbox.clock import Clock
from sandbox.http.messages import FORM, Request, Response, as_json, first_values

_WRONG = "The user name or password is incorrect."


class TokenEndpoint:
    """Handler of the password grant, the only one; there is no refresh token."""

    def __init__(self, settings: Settings, tokens: Tokens, people: Directory, clock: Clock) -> None:
        self._settings = settings
        self._tokens = tokens
        self._people = people
        self._clock = clock

    def grant(self, request: Request) -> Response:
        if request.media_type != FORM:
            return _error("invalid_request", f"expected Content-Type {FORM}")
        form = {name.lower(): value for name, value in first_values(request.form).items()}
        if not form.get("grant_type"):
            return _error("invalid_request", "grant_type is required")
        if form["grant_type"] != "password":
            return _error("unsupported_grant_type", "expected grant_type=password")
        user = self._people.by_email(form.get("username", ""))
        if user is None or not self._is_correct(form.get("password", "")):
            return _error("invalid_grant", _WRONG)
        return as_json(self._granted(user.id, user.email))

    def _is_correct(self, password: str) -> bool:
        return compare_digest(password.encode(), self._settings.password.encode())

    def _granted(self, user_id: int, user_name: str) -> dict[str, object]:
        now, lifetime_s = self._clock.now(), self._settings.token_lifetime_s
        return {
            "access_token": self._tokens.issue(user_id),
            "token_type": "bearer",
            "expires_in": lifetime_s - 1,
            "userName": user_name,
            ".issued": formatdate(now, usegmt=True),
            ".expires": formatdate(now + lifetime_s, usegmt=True),
        }


def _error(error: str, description: str) -> Response:
    """Return a 400 in OAuth 2 form, which one live client takes for a wrong password. §2 [client:other], [assumed]"""
    return as_json({"error": error, "error_description": description}, status=400)
