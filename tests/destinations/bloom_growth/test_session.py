"""Sessions: one login for all, over restarts too, and none that ends another process's."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from urllib.parse import parse_qs

import httpx
import pytest

from sluice.destinations.bloom_growth.assumptions import FRESH_FOR_S, REFUSED_FOR_S
from sluice.destinations.bloom_growth.session import LoginRefused, open_session
from sluice.destinations.bloom_growth.settings import BloomGrowthSettings
from sluice.destinations.contract import BatchError, Misconfigured, Unavailable
from sluice.destinations.http import send
from sluice.setting_types import Secret
from tests.destinations.http_server import client
from tests.support.instant_clock import instantly

URL = "http://bloom.test"


class Service:
    """A service that grants T1, T2, … and takes those in ``alive``; with ``is_single`` only the newest."""

    def __init__(self, *, is_single: bool = False) -> None:
        self.is_single = is_single
        self.alive: set[str] = set()
        self.logins: list[httpx.Request] = []
        self.login_answer: httpx.Response | None = None

    async def answer(self, request: httpx.Request) -> httpx.Response:
        if request.url.path == "/Token":
            await asyncio.sleep(0)
            self.logins.append(request)
            if self.login_answer is not None:
                return self.login_answer
            token = f"T{len(self.logins)}"
            self.alive = {token} if self.is_single else {*self.alive, token}
            return httpx.Response(200, json={"access_token": token, "token_type": "bearer", "expires_in": 1_209_599})
        known = request.headers["authorization"].removeprefix("Bearer ") in self.alive
        return httpx.Response(200 if known else 401, json={"Id": 1})

    def open(self, path: Path | None = None, password: str = "p") -> Callable[[], "asyncio.Future[int]"]:
        """Return a function that makes a call as a process of its own does, and returns the status."""
        settings = BloomGrowthSettings(
            url=URL,
            user_name="a@example.com",
            password=Secret(password),
            token_path=None if path is None else str(path / "token"),
        )
        http = client(URL, handler=self.answer, auth=open_session(settings))

        async def call() -> int:
            return (await send(http, http.build_request("GET", "/api/v1/users/mine"))).status_code

        return lambda: asyncio.ensure_future(call())


async def error_of(call: Callable[[], "asyncio.Future[int]"]) -> BatchError:
    with pytest.raises(BatchError) as error:
        await call()
    return error.value


async def test_one_login_serves_all_calls() -> None:
    service = Service()
    call = service.open()
    assert await asyncio.gather(*(call() for _ in range(5))) == [200] * 5
    (login,) = service.logins
    assert str(login.url) == "http://bloom.test/Token"
    assert parse_qs(login.content.decode()) == {
        "grant_type": ["password"],
        "userName": ["a@example.com"],
        "password": ["p"],
    }


async def test_an_ended_token_is_renewed_once() -> None:
    service = Service()
    call = service.open()
    await call()
    service.alive.clear()
    assert await asyncio.gather(*(call() for _ in range(5))) == [200] * 5
    assert len(service.logins) == 2


async def test_an_api_key_is_sent_as_it_is_and_never_renewed() -> None:
    service = Service()
    service.alive = {"key"}
    auth = open_session(BloomGrowthSettings(url=URL, api_key=Secret(" key ")))
    http = client(URL, handler=service.answer, auth=auth)
    assert (await send(http, http.build_request("GET", "/x"))).status_code == 200
    service.alive.clear()
    assert (await send(http, http.build_request("GET", "/x"))).status_code == 401
    assert service.logins == []


async def test_a_restart_needs_no_login(tmp_path: Path) -> None:
    service = Service()
    for _ in range(3):
        assert await service.open(tmp_path)() == 200
    assert len(service.logins) == 1


async def test_processes_share_one_token_and_log_in_one_at_a_time(tmp_path: Path) -> None:
    service = Service(is_single=True)
    calls = [service.open(tmp_path) for _ in range(4)]
    assert await asyncio.gather(*(call() for call in calls)) == [200] * 4
    service.alive.clear()
    assert await asyncio.gather(*(call() for call in calls)) == [200] * 4
    assert len(service.logins) == 2


async def test_another_password_is_another_account(tmp_path: Path) -> None:
    service = Service()
    await service.open(tmp_path)()
    await service.open(tmp_path, "q")()
    assert len(service.logins) == 2


@pytest.mark.parametrize("status", [400, 401])
async def test_a_refused_login_is_not_tried_again_even_over_restarts(tmp_path: Path, status: int) -> None:
    service = Service()
    service.login_answer = httpx.Response(status, json={"error": "invalid_grant", "error_description": "No p here."})
    call = service.open(tmp_path)
    errors = [await error_of(call), await error_of(call), await error_of(service.open(tmp_path))]
    assert [type(error) for error in errors] == [LoginRefused] * 3
    assert "no login is tried for 15 minutes" in str(errors[2])
    assert len(service.logins) == 1
    service.login_answer = None
    assert await service.open(tmp_path, "corrected")() == 200


async def test_trouble_at_the_login_is_an_outage_that_passes(tmp_path: Path) -> None:
    service = Service()
    call = service.open(tmp_path)
    proxys = httpx.Response(400, json={"message": "Bad Request"})
    for answer in (httpx.Response(503), httpx.Response(200, html="<html>"), proxys):
        service.login_answer = answer
        assert isinstance(await error_of(call), Unavailable)
    service.login_answer = None
    assert await call() == 200
    assert len(service.logins) == 4


async def test_a_refused_login_is_remembered_without_a_file_too() -> None:
    service = Service()
    service.login_answer = httpx.Response(400, json={"error": "invalid_grant"})
    call = service.open()
    assert str(await error_of(call)) == str(await error_of(call))
    assert len(service.logins) == 1


@instantly
async def test_two_processes_that_end_each_others_sessions_stop() -> None:
    service = Service(is_single=True)
    ours, theirs = service.open(), service.open()
    for call in (ours, theirs, ours, theirs):
        assert await call() == 200
    error = await error_of(ours)
    assert "two processes seem to share a user" in str(error)
    assert await theirs() == 200
    await error_of(ours)
    assert len(service.logins) == 4
    await asyncio.sleep(REFUSED_FOR_S)
    assert await ours() == 200


@instantly
async def test_a_login_that_fails_for_now_is_not_another_processs_doing() -> None:
    service = Service()
    call = service.open()
    await call()
    service.alive.clear()
    service.login_answer = httpx.Response(503)
    for _ in range(5):
        assert str(await error_of(call)).endswith("gave no token but 503: no message")
    service.login_answer = None
    assert await call() == 200


@instantly
async def test_a_token_that_has_lived_is_renewed_as_often_as_needed() -> None:
    service = Service()
    call = service.open()
    for _ in range(5):
        await call()
        await asyncio.sleep(FRESH_FOR_S)
        service.alive.clear()
    assert await call() == 200
    assert len(service.logins) == 6


async def test_a_file_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    error = await error_of(Service().open(tmp_path / "absent"))
    assert isinstance(error, Misconfigured)
    assert "correct it" in str(error)
