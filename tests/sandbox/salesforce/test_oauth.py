"""The OAuth token endpoint. salesforce_bulk.md §2.3."""

import base64
import time
from functools import cache
from typing import Any

import httpx
import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from sandbox.salesforce.settings import Settings
from tests.sandbox.salesforce.orgs import CLIENT, INGEST, Served, org

TOKEN = "/services/oauth2/token"
BEARER = "urn:ietf:params:oauth:grant-type:jwt-bearer"
PASSWORD = {"grant_type": "password", "username": "loader@example.com", "password": "loader-passwordTOKEN", **CLIENT}


@cache
def signing_key() -> RSAPrivateKey:
    return generate_private_key(public_exponent=65537, key_size=2048)


def with_certificate() -> Settings:
    pem = signing_key().public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    return Settings(jwt_public_key=pem.decode())


def assertion(
    key: Any = None, algorithm: str = "RS256", *, exp_in_s: int = 170, exp_as: type = int, **claims: Any
) -> str:
    """Signed now: a table of cases may be read minutes before its tests run."""
    usual = {
        "iss": CLIENT["client_id"],
        "sub": "loader@example.com",
        "aud": "https://login.salesforce.com",
        "exp": exp_as(int(time.time()) + exp_in_s),
    }
    return jwt.encode({**usual, **claims}, key or signing_key(), algorithm=algorithm)


async def ask(served: Served, form: dict[str, str], **headers: str) -> httpx.Response:
    return await served.http.post(TOKEN, data=form, headers={"authorization": "", **headers})


async def error_of_token(served: Served, form: dict[str, str], **headers: str) -> str:
    answer = await ask(served, form, **headers)
    assert answer.status_code == 400
    assert answer.json().keys() == {"error", "error_description"}
    return str(answer.json()["error"])


async def test_a_token_has_the_documents_members_and_no_expiry(salesforce: Served) -> None:
    answer = (await ask(salesforce, {"grant_type": "client_credentials", **CLIENT})).json()
    assert list(answer) == [
        "access_token",
        "signature",
        "scope",
        "instance_url",
        "id",
        "token_type",
        "issued_at",
    ]
    assert answer["instance_url"] == salesforce.url
    assert answer["id"] == "https://login.salesforce.com/id/00DX00000000001MAA/005X00000000001IAA"
    assert (answer["token_type"], answer["issued_at"].isdigit()) == ("Bearer", True)


async def test_client_credentials_come_as_basic_too(salesforce: Served) -> None:
    basic = base64.b64encode(":".join(CLIENT.values()).encode()).decode()
    answer = await ask(salesforce, {"grant_type": "client_credentials"}, authorization=f"Basic {basic}")
    headers = {"authorization": f"Bearer {answer.json()['access_token']}"}
    assert (await salesforce.http.get(INGEST, headers=headers)).status_code == 200


@pytest.mark.parametrize("host", ["login.salesforce.com", "test.salesforce.com"])
async def test_client_credentials_are_for_the_orgs_own_host(salesforce: Served, host: str) -> None:
    form = {"grant_type": "client_credentials", **CLIENT}
    assert await error_of_token(salesforce, form, host=host) == "invalid_grant"


async def test_username_and_password_get_a_token(salesforce: Served) -> None:
    assert (await ask(salesforce, PASSWORD)).status_code == 200


async def test_the_password_flow_may_be_off() -> None:
    async with org(Settings(allow_password_flow=False)) as served:
        assert await error_of_token(served, PASSWORD) == "unsupported_grant_type"


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
        answer = await ask(served, {"grant_type": BEARER, "assertion": assertion(**claims)})
        assert answer.status_code == 200, answer.text
        assert "refresh_token" not in answer.json()


async def test_the_orgs_own_address_is_a_good_audience() -> None:
    """§2.3 aud: or community URL"""
    async with org(with_certificate()) as served:
        answer = await ask(served, {"grant_type": BEARER, "assertion": assertion(aud=served.url)})
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
        assert await error_of_token(served, {"grant_type": BEARER, "assertion": assertion(**made)}) == error


async def test_without_a_certificate_no_assertion_is_right(salesforce: Served) -> None:
    assert await error_of_token(salesforce, {"grant_type": BEARER, "assertion": assertion()}) == "invalid_grant"


@pytest.mark.parametrize(
    ("change", "error"),
    [
        pytest.param({"client_id": "other"}, "invalid_client_id", id="§2.3 invalid_client_id"),
        pytest.param({"client_secret": "wrong"}, "invalid_client", id="§2.3 invalid_client"),
        pytest.param({"password": "wrong"}, "invalid_grant", id="§2.3 invalid_grant"),
        pytest.param({"username": ""}, "invalid_request", id="§2.3 invalid_request"),
        pytest.param({"grant_type": "implicit"}, "unsupported_grant_type", id="§2.3 unsupported_grant_type"),
        pytest.param({"grant_type": ""}, "invalid_request", id="no grant_type"),
    ],
)
async def test_each_oauth_error(salesforce: Served, change: dict[str, str], error: str) -> None:
    assert await error_of_token(salesforce, {**PASSWORD, **change}) == error


async def test_a_body_of_another_type_is_an_invalid_request(salesforce: Served) -> None:
    answer = await salesforce.http.post(TOKEN, json=PASSWORD)
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")


async def test_a_basic_header_that_is_none_is_an_invalid_request(salesforce: Served) -> None:
    form = {"grant_type": "client_credentials"}
    assert await error_of_token(salesforce, form, authorization="Basic =") == "invalid_request"
