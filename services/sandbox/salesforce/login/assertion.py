"""Assertion of the JWT bearer flow. salesforce_bulk.md §2.3."""

import jwt
import msgspec

from sandbox.salesforce.login.refusal import OAuthRefusal

_MAX_LIFETIME_S = 180
_LEEWAY_S = 5
"""Seconds for rounding and for clocks that differ [assumed]; ``exp`` is at most 3 minutes away [docs]."""
_AUDIENCES = ("https://login.salesforce.com", "https://test.salesforce.com")


class Claims(msgspec.Struct, frozen=True):
    """Claims of an assertion. Some clients send ``exp`` as a string. §2.3 [client simple-salesforce]"""

    iss: str
    sub: str
    aud: str
    exp: float

    def check(self, *, client_id: str, own: str, now: float) -> None:
        """Raise ``OAuthRefusal`` for a wrong claim. The org's address ``own`` is a good audience, as a community's."""
        if self.iss != client_id:
            raise OAuthRefusal("invalid_client_id", "client identifier invalid")
        if self.aud.rstrip("/") not in (*_AUDIENCES, own):
            raise OAuthRefusal("invalid_grant", "audience is invalid")
        if not now - _LEEWAY_S < self.exp <= now + _MAX_LIFETIME_S + _LEEWAY_S:
            raise OAuthRefusal("invalid_grant", "expired authorization code")


def read_assertion(assertion: str, public_key: str) -> Claims:
    """Return the claims of a JWT signed with the RS256 key of ``public_key`` (PEM). Raises ``OAuthRefusal``."""
    if not public_key:
        raise OAuthRefusal("invalid_grant", "no certificate is registered for this app")
    unchecked = {"verify_exp": False, "verify_aud": False, "verify_iat": False, "verify_nbf": False}
    try:
        claims = jwt.decode(assertion, public_key, algorithms=["RS256"], options=unchecked)  # type: ignore[arg-type]
        return msgspec.convert(claims, Claims, strict=False)
    except (jwt.PyJWTError, msgspec.ValidationError, ValueError) as error:
        raise OAuthRefusal("invalid_grant", f"invalid assertion: {error}") from None
