"""An org without a network: it logs in whoever asks, and answers as a test tells it."""

from collections.abc import Callable
from typing import Any

import httpx

from sluice.destinations.salesforce.calls import Calls
from sluice.destinations.salesforce.login_settings import SoapLogin
from sluice.destinations.settings import DestinationSettings
from sluice.setting_types import Secret
from tests.destinations.salesforce.logins import granted

URL = "https://acme.my.salesforce.com"
SOAP = {"flow": "soap", "username": "loader@example.com", "password": "s3cret", "security_token": "T"}
LOGIN = SoapLogin(username="loader@example.com", password=Secret("s3cret"), security_token=Secret("T"))
Answer = Callable[[httpx.Request], httpx.Response]


def network(answer: Answer | httpx.Response, requests: list[httpx.Request]) -> httpx.MockTransport:
    """Make an org's network, with a note of each data call in ``requests``."""

    def respond(request: httpx.Request) -> httpx.Response:
        if request.url.path.startswith("/services/Soap"):
            return granted()
        requests.append(request)
        return answer if isinstance(answer, httpx.Response) else answer(request)

    return httpx.MockTransport(respond)


def calls(answer: Answer | httpx.Response, requests: list[httpx.Request] | None = None, **changes: Any) -> Calls:
    """Make the client of an org that answers as ``answer`` says."""
    made: dict[str, Any] = {"api_version": "59.0", "max_connections": 2, **changes}
    transport = network(answer, [] if requests is None else requests)
    return Calls(DestinationSettings(url=f"{URL}/"), LOGIN, transport=transport, **made)


def error(code: str, message: str = "no", status: int = 400) -> httpx.Response:
    """Refuse a call of Bulk API 1.0."""
    content = f"<error><exceptionCode>{code}</exceptionCode><exceptionMessage>{message}</exceptionMessage></error>"
    return httpx.Response(status, content=content, headers={"content-type": "application/xml"})


def xml(content: str, status: int = 200, **headers: str) -> httpx.Response:
    """Answer a call of Bulk API 1.0."""
    head = {"content-type": "application/xml", **headers}
    return httpx.Response(status, content=content, headers=head)
