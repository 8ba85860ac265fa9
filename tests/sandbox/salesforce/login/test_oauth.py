"""The OAuth token endpoint. salesforce_bulk.md §2.3."""

import base64

import pytest

from sandbox.salesforce.settings import Settings
from tests.sandbox.salesforce.login.client import TOKEN, ask, error_of_token
from tests.sandbox.salesforce.orgs import CLIENT, INGEST, Served, org

PASSWORD = {"grant_type": "password", "username": "loader@example.com", "password": "loader-passwordTOKEN", **CLIENT}


async def test_a_token_has_the_documents_members_and_no_expiry(salesforce: Served) -> None:
    answer = (await ask(salesforce, {"grant_type": "client_credentials", **CLIENT})).json()
    assert list(answer) == [*("access_token", "signature", "scope", "instance_url", "id", "token_type", "issued_at")]
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
