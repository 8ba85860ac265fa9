"""Assertion of the JWT bearer flow: claims that the app's key signs with RS256. §2.3"""

from base64 import urlsafe_b64encode
from typing import Any

import msgspec

from sluice.destinations.contract import Misconfigured
from sluice.destinations.salesforce.login_settings import JwtLogin
from sluice.setting_types import Secret

LIFETIME_S = 120
"""At most 180 s [docs]; the minute less is for a clock of ours that is ahead of the vendor's. No promise rests on it:
with a clock that is minutes off nobody logs in."""
_HEADER = b'{"alg":"RS256","typ":"JWT"}'
_EXPECTED = "expected an RSA key in PEM without a password at `login.private_key`"


def read_key(pem: Secret) -> Any:
    """Return the RSA key in ``pem``, as ``cryptography`` has it. Raises ``Misconfigured`` for one that cannot sign."""
    # Imported only here: nobody needs it who logs in otherwise.
    try:
        from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
        from cryptography.hazmat.primitives.serialization import load_pem_private_key
    except ImportError as error:
        raise Misconfigured("the login by jwt needs a library; install sluice[salesforce]") from error
    try:
        key = load_pem_private_key(pem.reveal().encode(), password=None)
    except (ValueError, TypeError) as error:
        # The error's own text may hold a part of the key.
        raise Misconfigured(f"{_EXPECTED}, got what cannot be read ({type(error).__name__})") from None
    if not isinstance(key, RSAPrivateKey):
        raise Misconfigured(f"{_EXPECTED}, got one of another kind")
    return key


def sign(login: JwtLogin, key: Any, now: float) -> str:
    """Return an assertion that ``key`` of :func:`read_key` signs at ``now``, in seconds since 1970."""
    from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
    from cryptography.hazmat.primitives.hashes import SHA256

    claims = {
        "iss": login.client_id,
        "sub": login.username,
        "aud": login.audience.rstrip("/"),
        "exp": int(now) + LIFETIME_S,
    }
    signed = _base64(_HEADER) + b"." + _base64(msgspec.json.encode(claims))
    return (signed + b"." + _base64(key.sign(signed, PKCS1v15(), SHA256()))).decode()


def _base64(data: bytes) -> bytes:
    return urlsafe_b64encode(data).rstrip(b"=")
