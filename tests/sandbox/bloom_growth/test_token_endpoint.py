"""The token endpoint as in bloom_growth.md §2."""

from email.utils import parsedate_to_datetime

import pytest

from tests.sandbox.bloom_growth.tenants import LOGIN, BloomTenant

TWO_WEEKS_S = 14 * 86_400


@pytest.mark.parametrize("path", [pytest.param("/Token", id="§2 /Token"), pytest.param("/token", id="§1 /token")])
async def test_a_password_gets_a_token_for_two_weeks(bloom: BloomTenant, path: str) -> None:
    answer = await bloom.http.post(bloom.url + path, data=LOGIN)
    granted = answer.json()
    names = ["access_token", "token_type", "expires_in", "userName", ".issued", ".expires"]
    assert (answer.status_code, list(granted)) == (200, names)
    assert (granted["token_type"], granted["expires_in"], granted["userName"]) == ("bearer", 1209599, LOGIN["userName"])
    lifetime = parsedate_to_datetime(granted[".expires"]) - parsedate_to_datetime(granted[".issued"])
    assert lifetime.total_seconds() == TWO_WEEKS_S


async def test_the_token_endpoint_is_at_the_hosts_root(bloom: BloomTenant) -> None:
    """§1: not under ``/api/v1``, where its path falls through to the web application (§10)."""
    answer = await bloom.http.post("Token", data=LOGIN)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "text/html; charset=utf-8")


async def test_a_token_is_its_users_key(bloom: BloomTenant) -> None:
    headers = await bloom.as_user("maria.lopez@example.com")
    assert (await bloom.http.get("users/mine", headers=headers)).json()["Name"] == "Maria Lopez"


async def test_the_members_of_the_form_are_taken_in_any_case(bloom: BloomTenant) -> None:
    form = {name.upper(): value for name, value in LOGIN.items()}
    assert (await bloom.http.post(f"{bloom.url}/Token", data=form)).status_code == 200


@pytest.mark.parametrize(
    ("fields", "error"),
    [
        pytest.param({"password": "wrong"}, "invalid_grant", id="§2 wrong password"),
        pytest.param({"userName": "nobody@example.com"}, "invalid_grant", id="§2 unknown user"),
        pytest.param({"userName": ""}, "invalid_grant", id="a placeholder has no login"),
        pytest.param({"grant_type": "refresh_token"}, "unsupported_grant_type", id="§2 no refresh token"),
        pytest.param({"grant_type": ""}, "invalid_request", id="no grant_type"),
    ],
)
async def test_a_refused_grant_is_a_400_in_oauth_form(bloom: BloomTenant, fields: dict[str, str], error: str) -> None:
    answer = await bloom.http.post(f"{bloom.url}/Token", data={**LOGIN, **fields})
    assert (answer.status_code, answer.json()["error"]) == (400, error)


async def test_bad_credentials_are_answered_byte_for_byte(bloom: BloomTenant) -> None:
    answer = await bloom.http.post(f"{bloom.url}/Token", data={**LOGIN, "password": "wrong"})
    expected = b'{"error":"invalid_grant","error_description":"The user name or password is incorrect."}'
    assert answer.content == expected


async def test_a_grant_that_is_no_form_is_a_400(bloom: BloomTenant) -> None:
    answer = await bloom.http.post(f"{bloom.url}/Token", json=LOGIN)
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")
