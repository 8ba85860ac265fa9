"""Sessions: logged in once for all calls, renewed once, and never fought for."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from urllib.parse import parse_qs

import httpx
import jwt
import pytest
import pytest_asyncio

from sluice.destinations.contract import Misconfigured, Unavailable
from sluice.destinations.http import send
from sluice.destinations.oauth import RESEND_CHECK
from sluice.destinations.salesforce import session as session_module
from sluice.destinations.salesforce.login_settings import (
    ClientCredentialsLogin,
    JwtLogin,
    Login,
    PasswordLogin,
    SoapLogin,
)
from sluice.destinations.salesforce.session import Session, is_refused_session
from sluice.setting_types import Secret
from tests.destinations.http_server import client
from tests.destinations.salesforce.keys import KEYS
from tests.destinations.salesforce.logins import INSTANCE, fault, granted, token

LOGIN_URL = "https://login.salesforce.com"
SECRET = "s3cret-of-the-user"
TOKEN = "t0ken-of-the-user"
SOAP = SoapLogin(username="loader@example.com", password=Secret(SECRET), security_token=Secret(TOKEN))
CREDENTIALS = ClientCredentialsLogin(client_id="key", client_secret=Secret(SECRET))
JWT = JwtLogin(client_id="key", username="loader@example.com", private_key=Secret(KEYS.private))
PASSWORD = PasswordLogin(
    client_id="key",
    client_secret=Secret("app-secret"),
    username="loader@example.com",
    password=Secret(SECRET),
    security_token=Secret(TOKEN),
)
JOB = "/services/async/59.0/job"
LIMITS = "/services/data/v59.0/limits"
REDIRECTS = (301, 302, 307, 308)


class Org:
    """An org that grants sessions s1, s2, … and takes only the one that ``accepted`` names."""

    def __init__(self, login: Login = SOAP) -> None:
        self.logins: list[httpx.Request] = []
        self.calls: list[httpx.Request] = []
        self.hosts: Counter[str] = Counter()
        self.accepted = ""
        self.instance = INSTANCE
        self.seconds = "7200"
        self.login_answer: httpx.Response | Exception | None = None
        self.redirect: httpx.Response | None = None
        self.asked = asyncio.Event()
        self.slow = asyncio.Event()
        self.slow.set()
        self.now_s = 0.0
        self.http = client(LOGIN_URL, auth=self.session(login), handler=self.answer)

    def session(self, login: Login) -> Session:
        return Session(f"{LOGIN_URL}/", login, clock=lambda: self.now_s)

    async def answer(self, request: httpx.Request) -> httpx.Response:
        if request.url.path.startswith(("/services/Soap", "/services/oauth2")):
            return await self.log_in(request)
        self.calls.append(request)
        assert request.headers["host"] == request.url.netloc.decode()
        if self.redirect is not None:
            return self.redirect
        if request.url.path.startswith("/services/async"):
            if request.headers["x-sfdc-session"] != self.accepted:
                return httpx.Response(400, content=b"<error><exceptionCode>InvalidSessionId</exceptionCode></error>")
        elif request.headers["authorization"] != f"Bearer {self.accepted}":
            return httpx.Response(401, json=[{"errorCode": "INVALID_SESSION_ID", "message": "Session expired"}])
        return httpx.Response(200, content=request.content)

    async def log_in(self, request: httpx.Request) -> httpx.Response:
        self.logins.append(request)
        self.asked.set()
        await self.slow.wait()
        if isinstance(self.login_answer, Exception):
            raise self.login_answer
        if self.login_answer is not None:
            return self.login_answer
        self.accepted = f"s{len(self.logins)}"
        if request.url.path == "/services/oauth2/token":
            return token(self.accepted, instance=self.instance)
        return granted(self.accepted, instance=self.instance, seconds=self.seconds)

    async def get(self, path: str = JOB) -> httpx.Response:
        return await send(self.http, self.http.build_request("GET", path))

    async def get_often(self, path: str = JOB) -> list[httpx.Response | BaseException]:
        return await asyncio.gather(*(self.get(path) for _ in range(20)), return_exceptions=True)


@pytest_asyncio.fixture
async def org() -> AsyncIterator[Org]:
    made = Org()
    async with made.http:
        yield made


async def test_one_login_serves_all_calls_at_the_instance_that_it_names(org: Org) -> None:
    org.slow.clear()
    async with asyncio.TaskGroup() as group:
        calls = [group.create_task(org.get()) for _ in range(20)]
        await org.asked.wait()
        org.slow.set()
    assert {call.result().status_code for call in calls} == {200}
    assert [str(login.url) for login in org.logins] == [f"{LOGIN_URL}/services/Soap/u/59.0"]
    assert {call.url.host for call in org.calls} == {"acme.my.salesforce.com"}


@pytest.mark.parametrize(
    ("path", "headers"),
    [
        pytest.param(JOB, ("s1", None), id="§1 Bulk API 1.0"),
        pytest.param(LIMITS, (None, "Bearer s1"), id="§1 Bulk API 2.0 and REST"),
    ],
)
async def test_each_api_has_its_own_header(org: Org, path: str, headers: tuple[str | None, str | None]) -> None:
    await org.get(path)
    [call] = org.calls
    assert (call.headers.get("x-sfdc-session"), call.headers.get("authorization")) == headers


@pytest.mark.parametrize(
    ("login", "expected"),
    [
        pytest.param(
            CREDENTIALS,
            {"grant_type": "client_credentials", "client_id": "key", "client_secret": SECRET},
            id="§2.3 client credentials",
        ),
        pytest.param(
            PASSWORD,
            {
                "grant_type": "password",
                "client_id": "key",
                "client_secret": "app-secret",
                "username": "loader@example.com",
                "password": SECRET + TOKEN,
            },
            id="§2.3 username-password",
        ),
    ],
)
async def test_an_oauth_flow_has_its_form(login: Login, expected: dict[str, str]) -> None:
    org = Org(login)
    assert (await org.get(LIMITS)).status_code == 200
    [asked] = org.logins
    assert str(asked.url) == f"{LOGIN_URL}/services/oauth2/token"
    assert parse_qs(asked.content.decode()) == {name: [value] for name, value in expected.items()}
    assert org.calls[0].url.host == "acme.my.salesforce.com"


async def test_each_jwt_login_signs_a_new_assertion() -> None:
    org = Org(JWT)
    await org.get()
    [asked] = org.logins
    form = parse_qs(asked.content.decode())
    assert form["grant_type"] == ["urn:ietf:params:oauth:grant-type:jwt-bearer"]
    claims = jwt.decode(form["assertion"][0], KEYS.public, algorithms=["RS256"], audience=LOGIN_URL)
    assert (claims["iss"], claims["sub"]) == ("key", "loader@example.com")


@pytest.mark.parametrize(
    ("seconds", "age_s", "logins"),
    [
        pytest.param("7200", 7139, 1, id="a little before"),
        pytest.param("7200", 7140, 2, id="§2.2 a minute before its end"),
        pytest.param("900", 840, 2, id="§2.2 by the time that the login names"),
        pytest.param("30", 14, 1, id="a very short one lives"),
        pytest.param("", 7140, 2, id="two hours if none is named"),
    ],
)
async def test_a_session_is_renewed_by_its_age(org: Org, seconds: str, age_s: float, logins: int) -> None:
    org.seconds = seconds
    await org.get()
    org.now_s = age_s
    await org.get()
    assert len(org.logins) == logins


@pytest.mark.parametrize("path", [JOB, LIMITS])
async def test_a_session_that_is_over_is_renewed_once_for_all_calls_in_flight(org: Org, path: str) -> None:
    await org.get(path)
    org.accepted, org.instance = "none", "https://moved.my.salesforce.com"
    answers = await org.get_often(path)
    assert all(isinstance(answer, httpx.Response) and answer.status_code == 200 for answer in answers)
    assert len(org.logins) == 2
    assert org.calls[-1].url.host == "moved.my.salesforce.com"


@pytest.mark.parametrize("path", [JOB, LIMITS])
async def test_a_session_that_is_refused_again_is_not_renewed_again(org: Org, path: str) -> None:
    org.http.auth.authorize = lambda request, _: request.headers.update(  # type: ignore[attr-defined]
        {"x-sfdc-session": "dead", "authorization": "Bearer dead"}
    )
    assert (await org.get(path)).status_code in (400, 401)
    assert (len(org.logins), len(org.calls)) == (2, 2)


@pytest.mark.parametrize("status", REDIRECTS)
async def test_a_redirect_asks_for_the_instance_anew_and_only_once(org: Org, status: int) -> None:
    """§13, row 16"""
    await org.get()
    org.redirect = httpx.Response(status, headers={"location": "https://new.my.salesforce.com/x"})
    assert (await org.get()).status_code == status
    assert (len(org.logins), len(org.calls)) == (2, 3)


async def test_a_write_that_a_proxy_refuses_is_not_sent_again(org: Org) -> None:
    await org.get()
    org.redirect = httpx.Response(401, content=b"<html>")
    request = org.http.build_request("POST", JOB, content=b"x", extensions={RESEND_CHECK: is_refused_session})
    assert (await send(org.http, request)).status_code == 401
    assert (len(org.logins), len(org.calls)) == (1, 2)
    org.redirect = None
    assert (await org.get()).status_code == 200
    assert len(org.logins) == 2


PERMANENT = [
    "INVALID_LOGIN",
    "LOGIN_MUST_USE_SECURITY_TOKEN",
    "PASSWORD_LOCKOUT",
    "INVALID_OPERATION_WITH_EXPIRED_PASSWORD",
    "INSUFFICIENT_ACCESS",
    "ORG_LOCKED",
    "API_DISABLED_FOR_ORG",
    "UNSUPPORTED_API_VERSION",
    "SOMETHING_NEW",
]
BUSY = ["LOGIN_RATE_EXCEEDED", "REQUEST_LIMIT_EXCEEDED", "API_CURRENTLY_DISABLED", "SERVER_UNAVAILABLE"]
OAUTH = ["invalid_grant", "invalid_client_id", "invalid_client", "invalid_request", "unsupported_grant_type"]


@pytest.mark.parametrize("code", PERMANENT)
async def test_a_refused_login_is_not_repeated_for_a_quarter_of_an_hour(org: Org, code: str) -> None:
    """§2.1"""
    org.login_answer = fault(code, f"no {SECRET} and {TOKEN}")
    org.slow.clear()
    calls = asyncio.gather(*(org.get() for _ in range(20)), return_exceptions=True)
    await org.asked.wait()
    org.slow.set()
    for error in (*await calls, *await org.get_often()):
        assert isinstance(error, Misconfigured)
        assert f"login.salesforce.com does not log in loader@example.com: {code}: no *** and ***" in str(error)
    org.now_s = 899
    await org.get_often()
    assert len(org.logins) == 1
    org.now_s, org.login_answer = 900, None
    assert (await org.get()).status_code == 200
    assert (len(org.logins), len(org.calls)) == (2, 1)


@pytest.mark.parametrize("code", BUSY)
async def test_a_login_at_a_bad_moment_is_an_outage_with_a_long_pause(org: Org, code: str) -> None:
    """§2.1"""
    org.login_answer = fault(code)
    for error in (*await org.get_often(), *await org.get_often()):
        assert isinstance(error, Unavailable)
        assert (error.reason, error.retry_after_s) == ("auth", 300)
    assert len(org.logins) == 1
    org.now_s, org.login_answer = 300, None
    assert (await org.get()).status_code == 200


@pytest.mark.parametrize("code", OAUTH)
async def test_a_refused_oauth_login_is_not_repeated_either(code: str) -> None:
    """§2.3"""
    org = Org(CREDENTIALS)
    org.login_answer = httpx.Response(400, json={"error": code, "error_description": f"no {SECRET}"})
    for error in (*await org.get_often(), *await org.get_often()):
        assert isinstance(error, Misconfigured)
        assert f"does not log in key: {code}: no ***" in str(error)
    assert len(org.logins) == 1


@pytest.mark.parametrize("login", [pytest.param(SOAP, id="soap"), pytest.param(CREDENTIALS, id="oauth")])
@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        pytest.param(httpx.Response(500, content=b"<html>"), "500", id="500 of a proxy"),
        pytest.param(httpx.Response(503, headers={"retry-after": "9"}), "503", id="503"),
        pytest.param(httpx.Response(429), "429", id="429"),
        pytest.param(httpx.Response(403, content=b"<html>"), "auth", id="403 of a proxy"),
        pytest.param(httpx.Response(200, content=b"<html>"), "auth", id="200 of a proxy"),
        pytest.param(httpx.Response(200, content=b""), "auth", id="200 of nothing"),
        pytest.param(granted("a\nb"), "auth", id="a session no header can carry"),
        pytest.param(httpx.ConnectError("refused"), "connect", id="no connection"),
        pytest.param(httpx.ReadTimeout("late"), "no-answer", id="no answer"),
    ],
)
async def test_a_login_without_the_vendors_answer_is_an_outage(
    login: Login, answer: httpx.Response | Exception, reason: str
) -> None:
    org = Org(login)
    org.login_answer = answer
    with pytest.raises(Unavailable) as error:
        await org.get()
    assert error.value.reason == reason
    assert org.calls == []
    assert SECRET not in str(error.value)


@pytest.mark.parametrize("login", [pytest.param(SOAP, id="soap"), pytest.param(CREDENTIALS, id="oauth")])
async def test_a_login_that_is_elsewhere_names_the_place(login: Login) -> None:
    org = Org(login)
    org.login_answer = httpx.Response(301, headers={"location": "https://new.my.salesforce.com/"})
    with pytest.raises(Misconfigured, match=r"points to https://new.my.salesforce.com/; correct `url`"):
        await org.get()
    org.login_answer = None
    assert (await org.get()).status_code == 200


async def test_an_expired_password_needs_a_person(org: Org) -> None:
    """§2.1"""
    org.login_answer = granted(expired="true")
    with pytest.raises(Misconfigured, match="the password is expired"):
        await org.get()
    await org.get_often()
    assert len(org.logins) == 1


@pytest.mark.parametrize("instance", ["http://acme.my.salesforce.com", "ftp://acme", "", "acme", "https://"])
@pytest.mark.parametrize("login", [pytest.param(SOAP, id="soap"), pytest.param(CREDENTIALS, id="oauth")])
async def test_a_session_is_not_sent_to_an_address_without_tls(login: Login, instance: str) -> None:
    org = Org(login)
    org.instance = instance
    with pytest.raises(Misconfigured, match="expected an https address"):
        await org.get()
    assert org.calls == []


async def test_an_instance_that_is_no_text_is_none() -> None:
    org = Org(CREDENTIALS)
    org.login_answer = httpx.Response(200, json={"access_token": "s1", "instance_url": 7})
    with pytest.raises(Misconfigured, match="expected an https address"):
        await org.get()


def test_a_key_that_cannot_sign_is_refused_at_the_start() -> None:
    with pytest.raises(Misconfigured, match=r"login\.private_key"):
        Session(LOGIN_URL, JwtLogin(client_id="key", username="x", private_key=Secret("no key")))


def test_the_busy_codes_are_those_of_the_document() -> None:
    assert set(BUSY) <= session_module.BUSY_CODES
