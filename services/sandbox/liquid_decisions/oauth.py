"""``/oauth2/token`` and the calls about a token. liquid_decisions.md §2 [docs]; errors RFC 6749 §5.2 [assumed]."""

from sandbox.faults.board import FaultBoard
from sandbox.http.authorization import client_credentials
from sandbox.http.messages import Request, Response, as_json
from sandbox.liquid_decisions.faults import NoCommunity
from sandbox.liquid_decisions.forms import Form, read_form, required
from sandbox.liquid_decisions.refusal import Refusal
from sandbox.liquid_decisions.settings import Settings, User
from sandbox.liquid_decisions.tokens import Session, Tokens


class OAuth:
    """Token calls. A user's password gets a token, for a community or for none yet."""

    def __init__(self, settings: Settings, tokens: Tokens, faults: FaultBoard) -> None:
        self._settings = settings
        self._faults = faults
        self._tokens = tokens
        self._users = {user.user_id: user for user in settings.users}
        self._grants = {"password": self._grant_password, "refresh_token": self._grant_refresh}

    def token(self, request: Request) -> Response:
        form = read_form(request)
        self._check_client(request, form)
        grant = self._grants.get(required(form, "grant_type"))
        if grant is None:
            raise Refusal(f"expected grant_type {', '.join(self._grants)}", error="unsupported_grant_type")
        for _ in self._faults.acting((NoCommunity,), request.method, request.path, request.body):
            form = {**form, "scope": ""}
        return grant(form)

    def validate(self, _: Request, session: Session) -> Response:
        """Answer 200 for a valid token [docs]; the body is [assumed]."""
        return as_json({"valid": True, "community": session.community})

    def token_info(self, _: Request, session: Session) -> Response:
        """Return both ids, which are the same: the sandbox has no acting for another user. §2 [client:web]"""
        user_id = session.user_id
        return as_json({"userId": user_id, "authenticatedUserId": user_id, "community": session.community})

    def set_community(self, request: Request, session: Session) -> Response:
        """Bind the token's community later. §2 [docs] name, [assumed] form and answer"""
        session.community = self._allowed(self._users[session.user_id], required(read_form(request), "community"))
        return self.token_info(request, session)

    def set_properties(self, request: Request, session: Session) -> Response:
        """Take a community among other properties, which have no effect here. §2 [client:node]"""
        if "community" in read_form(request):
            return self.set_community(request, session)
        return self.token_info(request, session)

    def _grant_password(self, form: Form) -> Response:
        user = self._users.get(required(form, "username"))
        if user is None or user.password != required(form, "password"):
            raise Refusal("unknown username or wrong password", error="invalid_grant")
        name = _community_of(form.get("scope", ""))
        return self._answer(user.user_id, None if name is None else self._allowed(user, name))

    def _grant_refresh(self, form: Form) -> Response:
        """Grant by a refresh token: not documented, may be tried once. §2 [assumed]"""
        session = self._tokens.use_refresh(required(form, "refresh_token"))
        if session is None:
            raise Refusal("unknown or used refresh_token", error="invalid_grant")
        return self._answer(session.user_id, session.community)

    def _answer(self, user_id: str, community: str | None) -> Response:
        """Return a token; a refresh token comes only when switched on. §2 [assumed]"""
        answer = {
            "access_token": self._tokens.issue(user_id, community),
            "token_type": "Bearer",
            "expires_in": self._settings.token_lifetime_s,
        }
        if self._settings.sends_refresh_token:
            answer["refresh_token"] = self._tokens.issue_refresh(user_id, community)
        return as_json(answer)

    def _allowed(self, user: User, community: str) -> str:
        """Return the community. Raises a 400 for an unknown one, a 403 for another user's. §2, §11 [assumed]"""
        if community not in self._settings.communities:
            raise Refusal(f"unknown community {community!r}", error="invalid_scope")
        if user.communities is not None and community not in user.communities:
            raise Refusal(f"{user.user_id} is not in {community}", error="access_denied", status=403)
        return community

    def _check_client(self, request: Request, form: Form) -> None:
        """Accept absent credentials, as both examples need, and refuse wrong ones. §2 [client:java], [assumed]

        HTTP Basic is accepted, too: the service declares conformity with RFC 6749. §2 [docs]
        """
        in_form = form.get("client_id"), form.get("client_secret")
        client_id, client_secret = client_credentials(request.header("authorization")) or in_form
        settings = self._settings
        if client_id not in (None, settings.client_id) or client_secret not in (None, settings.client_secret):
            raise Refusal("unknown client_id or wrong client_secret", error="invalid_client", status=401)


def _community_of(scope: str) -> str | None:
    """Return the community of ``community=ACME deviceId=d-1``, or of one bare word; null without. §2 [docs] [client]

    The wiki has a bare ``MyCommunity``, all code ``community=…``: both are taken [assumed]. The load test sends names
    with blanks inside: beside pairs, words without ``=`` and unknown keys are skipped [client:node].
    """
    words = scope.split()
    pairs = [word.partition("=") for word in words if "=" in word]
    if pairs:
        return next((value for key, _, value in pairs if key == "community" and value), None)
    if len(words) > 1:
        raise Refusal(f"expected community=NAME, got the words {scope!r}", error="invalid_scope")
    return words[0] if words else None
