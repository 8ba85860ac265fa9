"""The envelope of a login, and what its answers say."""

import httpx
import pytest

from sluice.destinations.salesforce.login_settings import SoapLogin
from sluice.destinations.salesforce.soap_login import SoapSession, login_request, read_login
from sluice.destinations.salesforce.vendor_errors import VendorError
from sluice.destinations.salesforce.xml_answers import parse_xml
from sluice.setting_types import Secret
from tests.destinations.salesforce.logins import fault, granted


def test_password_and_token_stand_together_and_are_escaped() -> None:
    login = SoapLogin(username="a&b@example.com", password=Secret("p<w>"), security_token=Secret("T&"), version="64.0")
    request = login_request("https://login.test", login)
    assert str(request.url) == "https://login.test/services/Soap/u/64.0"
    assert (request.headers["content-type"], request.headers["soapaction"]) == ("text/xml; charset=UTF-8", "login")
    root = parse_xml(request.content)
    assert (root.text_of("username"), root.text_of("password")) == ("a&b@example.com", "p<w>T&")


def test_a_session_is_read() -> None:
    assert read_login(granted()) == SoapSession(
        session_id="00DX0000000ABCD!AQ4AQ.example",
        server_url="https://acme.my.salesforce.com/services/Soap/u/59.0/00DX0000000ABCD",
        lifetime_s=7200.0,
        password_expired=False,
    )


@pytest.mark.parametrize("seconds", ["", "soon", "-1", "٣"])
def test_a_lifetime_that_is_no_number_is_none(seconds: str) -> None:
    session = read_login(granted(seconds=seconds))
    assert isinstance(session, SoapSession)
    assert session.lifetime_s is None


@pytest.mark.parametrize("status", [500, 200])
@pytest.mark.parametrize("prefix", ["", "sf:"])
def test_a_fault_is_read_with_any_status_and_prefix(status: int, prefix: str) -> None:
    error = read_login(fault("INVALID_LOGIN", "Invalid username", status=status, prefix=prefix))
    assert error == VendorError("INVALID_LOGIN", "Invalid username")


def test_a_fault_without_a_detail_has_its_faultcode() -> None:
    body = b"<Envelope><Body><Fault><faultcode>sf:X</faultcode><faultstring>no</faultstring></Fault></Body></Envelope>"
    assert read_login(httpx.Response(500, content=body)) == VendorError("X", "no")


@pytest.mark.parametrize("content", [b"", b"<html>", b"<html/>", b"{}", b"<Envelope><Fault/></Envelope>"])
def test_another_answer_is_neither(content: bytes) -> None:
    assert read_login(httpx.Response(200, content=content)) is None
