"""Sessions at a stand-in, over real sockets: every flow, a renewal under load, a login that is refused."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from sandbox.control import SandboxControl
from sandbox.salesforce.settings import Settings
from sandbox.salesforce.vendor import Salesforce
from sandbox.serving.app import App
from sandbox.serving.server import serve
from sluice.destinations.contract import Misconfigured
from sluice.destinations.http import send
from sluice.destinations.http_client import VendorClient
from sluice.destinations.salesforce.login_settings import (
    ClientCredentialsLogin,
    JwtLogin,
    Login,
    PasswordLogin,
    SoapLogin,
)
from sluice.destinations.salesforce.session import Session
from sluice.setting_types import Secret
from tests.destinations.http_server import client
from tests.destinations.salesforce.keys import KEYS

USER = "loader@example.com"
CLIENT = "sandbox-consumer-key"
CLIENT_SECRET = Secret("sandbox-consumer-secret")
TOKEN = Secret("TOKEN")
SOAP = SoapLogin(username=USER, password=Secret("loader-password"), security_token=TOKEN)
LIMITS = "/services/data/v59.0/limits"
NO_JOB = "/services/async/59.0/job/750000000000001"
LOGINS = [
    pytest.param(SOAP, id="soap"),
    pytest.param(ClientCredentialsLogin(client_id=CLIENT, client_secret=CLIENT_SECRET), id="client credentials"),
    pytest.param(JwtLogin(client_id=CLIENT, username=USER, private_key=Secret(KEYS.private)), id="jwt"),
    pytest.param(
        PasswordLogin(
            client_id=CLIENT,
            client_secret=CLIENT_SECRET,
            username=USER,
            password=Secret("loader-password"),
            security_token=TOKEN,
        ),
        id="password",
    ),
]


class Org:
    """A stand-in, with a client that has our session."""

    def __init__(self, vendor: Salesforce, http: VendorClient, control: SandboxControl) -> None:
        self.vendor = vendor
        self.http = http
        self.control = control

    async def get(self, path: str = LIMITS) -> int:
        return (await send(self.http, self.http.build_request("GET", path))).status_code

    async def sessions(self) -> object:
        return (await self.control.state())["sessions"]


@asynccontextmanager
async def org(login: Login, settings: Settings | None = None) -> AsyncIterator[Org]:
    vendor = Salesforce(settings or Settings(jwt_public_key=KEYS.public))
    async with serve(App(vendor)) as url, SandboxControl(url) as control, client(url, auth=Session(url, login)) as http:
        yield Org(vendor, http, control)


@pytest.mark.parametrize("login", LOGINS)
async def test_every_flow_opens_one_session_for_both_apis(login: Login) -> None:
    async with org(login) as acme:
        assert [await acme.get(), await acme.get(NO_JOB)] == [200, 400]
        assert await acme.sessions() == 1


@pytest.mark.parametrize("login", LOGINS)
async def test_twenty_calls_in_flight_renew_a_lost_session_once(login: Login) -> None:
    async with org(login) as acme:
        assert await acme.get() == 200
        await acme.control.expire_tokens()
        paths = [LIMITS, NO_JOB] * 10
        assert await asyncio.gather(*(acme.get(path) for path in paths)) == [200, 400] * 10
        assert await acme.sessions() == 1


async def test_a_wrong_password_locks_nobody_out() -> None:
    wrong = SoapLogin(username=USER, password=Secret("wr0ng-password"), security_token=TOKEN)
    async with org(wrong, Settings(max_wrong_passwords=2)) as acme:
        errors = await asyncio.gather(*(acme.get() for _ in range(20)), return_exceptions=True)
        errors += await asyncio.gather(*(acme.get() for _ in range(20)), return_exceptions=True)
        assert all(isinstance(error, Misconfigured) for error in errors)
        assert "wr0ng-password" not in str(errors)
        acme.http.auth = Session(str(acme.http.base_url), SOAP)
        assert await acme.get() == 200
