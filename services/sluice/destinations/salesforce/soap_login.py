"""The partner API's ``login()``: its envelope, and what its answer says. §2.1"""

from xml.sax.saxutils import escape

import httpx
import msgspec

from sluice.destinations.salesforce.login_settings import SoapLogin
from sluice.destinations.salesforce.vendor_errors import VendorError
from sluice.destinations.salesforce.xml_answers import Element, parse_xml

_ENVELOPE = """<?xml version="1.0" encoding="utf-8"?>
<env:Envelope xmlns:env="http://schemas.xmlsoap.org/soap/envelope/">
  <env:Body>
    <n1:login xmlns:n1="urn:partner.soap.sforce.com">
      <n1:username>{username}</n1:username>
      <n1:password>{password}</n1:password>
    </n1:login>
  </env:Body>
</env:Envelope>
"""


class SoapSession(msgspec.Struct, frozen=True, kw_only=True):
    """A session as ``login()`` grants it."""

    session_id: str
    server_url: str
    """An address at the org's instance; only its scheme and authority matter. §2.1"""
    lifetime_s: float | None
    password_expired: bool
    """True when the session is good for nothing but setting a new password. §2.1 [docs]"""


def login_request(url: str, login: SoapLogin) -> httpx.Request:
    """Return the request that logs in at ``url``; password and token are one text, without a separator. §2.1 [docs]"""
    password = login.password.reveal() + login.security_token.reveal()
    headers = {
        "content-type": "text/xml; charset=UTF-8",
        "soapaction": "login",
        "accept": "text/xml",
        "accept-encoding": "identity",
    }
    envelope = _ENVELOPE.format(username=escape(login.username), password=escape(password))
    address = f"{url}/services/Soap/u/{login.version}"
    return httpx.Request("POST", address, content=envelope.encode(), headers=headers)


def read_login(response: httpx.Response) -> SoapSession | VendorError | None:
    """Return the session or the fault in ``response``, whose status says nothing; ``None`` if it has neither.

    A fault may stand in a 200, and its code with or without ``sf:``. §2.1 [client sfbulk, simple-salesforce]
    """
    try:
        root = parse_xml(response.content)
    except ValueError:
        return None
    if (fault := root.find("Fault")) is not None:
        code = fault.text_of("exceptionCode") or fault.text_of("faultcode")
        message = fault.text_of("exceptionMessage") or fault.text_of("faultstring")
        return VendorError(code.rpartition(":")[2], message) if code else None
    result = root.find("result")
    return None if result is None else _session(result)


def _session(result: Element) -> SoapSession:
    seconds = result.text_of("sessionSecondsValid")
    return SoapSession(
        session_id=result.text_of("sessionId"),
        server_url=result.text_of("serverUrl"),
        lifetime_s=float(seconds) if seconds.isascii() and seconds.isdigit() else None,
        password_expired=result.text_of("passwordExpired") == "true",
    )
