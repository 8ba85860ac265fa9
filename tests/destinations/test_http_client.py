"""Requests as a client makes them, and what it does around them."""

import httpx
import pytest

from sluice.destinations.contract import Unavailable
from sluice.destinations.http import open_client, send
from sluice.destinations.http_client import VendorClient
from sluice.destinations.oauth import TokenAuth
from sluice.destinations.settings import DestinationSettings
from tests.destinations.http_server import client, put


@pytest.mark.parametrize("base", ["https://vendor.test/rest/v2", "https://vendor.test/rest/v2/"])
@pytest.mark.parametrize(
    ("path", "url"),
    [
        pytest.param("groups", "https://vendor.test/rest/v2/groups", id="below the base"),
        pytest.param("/groups/a%2Fb", "https://vendor.test/rest/v2/groups/a%2Fb", id="with a slash, quoted"),
        pytest.param("groups?at=a:b", "https://vendor.test/rest/v2/groups?at=a:b", id="with a query"),
    ],
)
async def test_a_path_is_below_the_base_url(base: str, path: str, url: str) -> None:
    async with client(base) as http:
        assert str(http.build_request("GET", path).url) == url
        assert http.build_request("GET", path, params={"ids": "a,b"}).url.params["ids"] == "a,b"


@pytest.mark.parametrize(
    ("method", "content", "length"),
    [
        ("PUT", b"[]", "2"),
        ("POST", b"", "0"),
        ("PATCH", b"", "0"),
        ("GET", b"", None),
        ("DELETE", b"", None),
        ("DELETE", b"[]", "2"),
    ],
)
async def test_a_request_says_how_long_its_body_is(method: str, content: bytes, length: str | None) -> None:
    async with client("https://vendor.test:443") as http:
        request = http.build_request(method, "groups", content=content, headers={"accept": "x/y"})
    assert (request.headers.get("content-length"), request.content) == (length, content)
    assert (request.headers["host"], request.headers.get_list("accept")) == ("vendor.test", ["x/y"])
    assert request.headers["user-agent"].startswith("sluice/")


def hearing(answer: httpx.MockTransport, heard: list[int], *, deaf: bool = False) -> VendorClient:
    async def hear(response: httpx.Response) -> None:
        heard.append(response.status_code)
        if deaf:
            raise Unavailable("auth", "I hear nothing")

    return open_client(
        DestinationSettings(url="https://vendor.test"),
        base_url="https://vendor.test",
        max_connections=1,
        auth=TokenAuth("https://vendor.test/token", {}),
        transport=answer,
        on_response=hear,
    )


async def test_each_answer_is_told_those_of_logins_too() -> None:
    answers = iter([201, 401, 201, 204])
    heard: list[int] = []

    def answer(request: httpx.Request) -> httpx.Response:
        if request.url.path == "/token":
            next(answers)
            return httpx.Response(200, json={"access_token": "T"})
        return httpx.Response(next(answers))

    async with hearing(httpx.MockTransport(answer), heard) as http:
        assert (await put(http)).status_code == 204
    assert heard == [200, 401, 200, 204]


async def test_an_error_of_who_is_told_ends_the_call_and_frees_the_login() -> None:
    heard: list[int] = []
    answer = httpx.MockTransport(lambda _: httpx.Response(200, json={"access_token": "T"}))
    async with hearing(answer, heard, deaf=True) as http:
        for _ in range(2):
            with pytest.raises(Unavailable, match="I hear nothing"):
                await send(http, http.build_request("GET", "groups"))
    assert heard == [200, 200]
