"""JWT bearer assertions. salesforce_bulk.md §2.3."""

import time
from functools import cache
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from sandbox.salesforce.settings import Settings
from tests.sandbox.salesforce.login.client import ask, error_of_token
from tests.sandbox.salesforce.orgs import CLIENT, Served, org

BEARER = "urn:ietf:params:oauth:grant-type:jwt-bearer"


@cache
def signing_key() -> RSAPrivateKey:
    return generate_private_key(public_exponent=65537, key_size=2048)


def with_certificate() -> Settings:
    pem = signing_key().public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    return Settings(jwt_public_key=pem.decode())


def signed(key: Any = None, algorithm: str = "RS256", *, exp_in_s: int = 170, exp_as: type = int, **claims: Any) -> str:
    """Sign an assertion now, because a table of cases may be read minutes before its tests run."""
    usual = {
        "iss": CLIENT["client_id"],
        "sub": "loader@example.com",
        "aud": "https://login.salesforce.com",
        "exp": exp_as(int(time.time()) + exp_in_s),
    }
    return jwt.encode({**usual, **claims}, key or signing_key(), algorithm=algorithm)


@pytest.mark.parametrize(
    "claims",
    [
        pytest.param({}, id="§2.3 JWT bearer"),
        pytest.param({"exp_as": str}, id="§2.3 exp as a string"),
        pytest.param({"aud": "https://test.salesforce.com"}, id="§2.3 aud of a sandbox"),
    ],
)
async def test_a_signed_assertion_gets_a_token_and_no_refresh_token(claims: dict[str, Any]) -> None:
    async with org(with_certificate()) as served:
        answer = await ask(served, {"grant_type": BEARER, "assertion": signed(**claims)})
        assert answer.status_code == 200, answer.text
        assert "refresh_token" not in answer.json()


async def test_the_orgs_own_address_is_a_good_audience() -> None:
    """§2.3 aud: or community URL"""
    async with org(with_certificate()) as served:
        answer = await ask(served, {"grant_type": BEARER, "assertion": signed(aud=served.url)})
        assert answer.status_code == 200, answer.text


@pytest.mark.parametrize(
    ("made", "error"),
    [
        pytest.param({"exp_in_s": 400}, "invalid_grant", id="§2.3 exp beyond 3 minutes"),
        pytest.param({"exp_in_s": -60}, "invalid_grant", id="expired"),
        pytest.param({"aud": "https://example.com"}, "invalid_grant", id="another audience"),
        pytest.param({"sub": "nobody@example.com"}, "invalid_grant", id="an unknown user"),
        pytest.param({"iss": "other"}, "invalid_client_id", id="an unknown app"),
        pytest.param({"exp": "soon"}, "invalid_grant", id="no time"),
        pytest.param({"key": "x" * 32, "algorithm": "HS256"}, "invalid_grant", id="another algorithm"),
        pytest.param({"key": generate_private_key(65537, 2048)}, "invalid_grant", id="another key"),
    ],
)
async def test_an_assertion_that_is_not_right_gets_none(made: dict[str, Any], error: str) -> None:
    async with org(with_certificate()) as served:
        assert await error_of_token(served, {"grant_type": BEARER, "assertion": signed(**made)}) == error


async def test_without_a_certificate_no_assertion_is_right(salesforce: Served) -> None:
    assert await error_of_token(salesforce, {"grant_type": BEARER, "assertion": signed()}) == "invalid_grant"
