"""Login: a token for one community by the password, whatever the status of a refusal."""

import httpx
import pytest

from sluice.destinations.contract import Unavailable
from sluice.setting_types import Secret
from tests.destinations.liquid_decisions.offline import TOKEN, Answer, Offline, json, settings_with

UNAUTHORIZED = json({"error": "invalid_token"}, 401)
CLIENT = {"client_id": "cid", "client_secret": Secret("sec")}


async def test_the_password_grant_names_the_community_in_its_scope() -> None:
    offline = Offline({}, settings_with(**CLIENT))
    await offline.calls.user()
    assert offline.forms("token") == [
        {
            "grant_type": "password",
            "client_id": "cid",
            "client_secret": "sec",
            "username": "ann@example.com",
            "password": "pw",
            "scope": "community=ACME",
        }
    ]
    assert offline.made("tokenInfo")[0].headers["authorization"] == "Bearer T"


async def test_the_client_is_left_out_where_there_is_none() -> None:
    offline = Offline({})
    await offline.calls.user()
    assert "client_id" not in offline.forms("token")[0]


async def test_the_community_may_be_bound_by_a_call_of_its_own() -> None:
    offline = Offline({"setCommunity": json({})}, settings_with(community_by="setCommunity"))
    await offline.calls.user()
    assert "scope" not in offline.forms("token")[0]
    assert offline.forms("setCommunity") == [{"community": "ACME"}]
    assert offline.made("setCommunity")[0].headers["authorization"] == "Bearer T"


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        pytest.param(json({"error": "invalid_grant"}, 400), "auth", id="400"),
        pytest.param(json({"error": "invalid_grant"}), "auth", id="an error in a 200"),
        pytest.param(json({"access_token": "T", "error": "x"}), "auth", id="an error beside a token"),
        pytest.param(json({}), "auth", id="no token"),
        pytest.param(httpx.Response(200, text="<html>"), "auth", id="a page"),
        pytest.param(json({"error": "busy"}, 503), "503", id="an outage"),
        pytest.param(httpx.Response(500), "500", id="an outage without a word"),
    ],
)
async def test_a_refusal_is_told_by_its_words_and_shows_no_secret(answer: Answer, reason: str) -> None:
    offline = Offline({"token": answer})
    with pytest.raises(Unavailable) as error:
        await offline.calls.user()
    assert error.value.reason == reason
    assert "pw" not in str(error.value).split()


async def test_a_refused_community_is_a_refused_login() -> None:
    offline = Offline(
        {"setCommunity": json({"error": "invalid_scope"}, 400)}, settings_with(community_by="setCommunity")
    )
    with pytest.raises(Unavailable, match="invalid_scope"):
        await offline.calls.user()


async def test_a_token_without_a_lifetime_is_used_until_it_is_refused() -> None:
    offline = Offline({"token": json({"access_token": "T"}), "status": [json({}), UNAUTHORIZED, json({})]})
    calls = offline.calls
    for _ in range(2):
        await calls.read("status", {})
    assert len(offline.made("token")) == 2


def _with_refresh(token: str = "T") -> httpx.Response:
    return json({"access_token": token, "refresh_token": "R"})


@pytest.mark.parametrize(
    ("refreshed", "grants"),
    [
        pytest.param(json({"access_token": "U"}), ["password", "refresh_token"], id="taken"),
        pytest.param(json({"error": "invalid_grant"}, 400), ["password", "refresh_token", "password"], id="refused"),
        pytest.param(json({"error": "invalid_grant"}), ["password", "refresh_token", "password"], id="in a 200"),
    ],
)
async def test_a_refresh_token_is_tried_once(refreshed: httpx.Response, grants: list[str]) -> None:
    offline = Offline({"token": [_with_refresh(), refreshed, TOKEN], "status": [json({}), UNAUTHORIZED, json({})]})
    calls = offline.calls
    for _ in range(2):
        await calls.read("status", {})
    assert [form["grant_type"] for form in offline.forms("token")] == grants
    assert offline.forms("token")[1]["refresh_token"] == "R"
