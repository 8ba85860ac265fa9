"""``Authorization`` headers: a bearer's token (RFC 6750 §2.1), a client's id and secret (RFC 6749 §2.3)."""

import base64
from urllib.parse import unquote_plus


def bearer_token(authorization: str, *other_schemes: str) -> str:
    """Return the token after ``Bearer``, or after another of these schemes (lower case); empty without one."""
    scheme, _, token = authorization.partition(" ")
    return token.strip() if scheme.lower() in ("bearer", *other_schemes) else ""


def client_credentials(authorization: str) -> tuple[str, str] | None:
    """Return the id and secret after ``Basic``, both empty when they cannot be read; null for another scheme."""
    scheme, _, encoded = authorization.partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        decoded = base64.b64decode(encoded, validate=True).decode()
    except ValueError:
        return "", ""
    client_id, _, secret = decoded.partition(":")
    return unquote_plus(client_id), unquote_plus(secret)
