"""SOAP envelopes: calls, and the faults of salesforce_bulk.md §2.1.

Answers have the document's bytes. Clients look up the ``sf:`` prefix of a fault's detail literally, so it must stay.
[client simple-salesforce]
"""

from typing import Any, Literal, NamedTuple
from xml.sax.saxutils import escape

from lxml import etree

from sandbox.http.messages import Request, Response
from sandbox.salesforce.bulk1.xml_reading import XSI, NotXml, read_xml

Flavour = Literal["partner", "enterprise"]

_ENVELOPE = "http://schemas.xmlsoap.org/soap/envelope/"
_MAX_BYTES = 1_000_000
"""Bytes of one call. [assumed: a login is a few hundred bytes]"""


class SoapFault(Exception):
    """Fault as an answer, HTTP 500 (§2.1 [docs]). An empty ``code`` says that the client's envelope is wrong.

    ``prefix`` stands before the ``faultcode``.
    """

    def __init__(self, code: str, message: str, *, prefix: str = "", status: int = 500) -> None:
        super().__init__(message)
        self.code = code
        self.prefix = prefix
        self.status = status

    def response(self, flavour: Flavour) -> Response:
        message = escape(str(self))
        if self.code:
            code, text = self.code, f"{self.code}: {message}"
            kind = "UnexpectedErrorFault" if code in _UNEXPECTED else "LoginFault"
            detail = (
                f'<detail><sf:{kind} xsi:type="sf:{kind}"><sf:exceptionCode>{code}</sf:exceptionCode>'
                f"<sf:exceptionMessage>{message}</sf:exceptionMessage></sf:{kind}></detail>\n"
            )
        else:
            code, text, detail = "soapenv:Client", message, ""
        body = (
            f'<?xml version="1.0" encoding="UTF-8"?>\n<soapenv:Envelope xmlns:soapenv="{_ENVELOPE}" '
            f'xmlns:sf="urn:fault.{flavour}.soap.sforce.com" xmlns:xsi="{XSI}"><soapenv:Body><soapenv:Fault>\n'
            f"<faultcode>{self.prefix}{code}</faultcode><faultstring>{text}</faultstring>\n"
            f"{detail}</soapenv:Fault></soapenv:Body></soapenv:Envelope>"
        )
        return soap_response(body, status=self.status)


_UNEXPECTED = frozenset({"INVALID_SESSION_ID", "UNSUPPORTED_API_VERSION", "INVALID_OPERATION"})
"""Codes of any call, not only of a login. [assumed fault type]"""


class SoapCall(NamedTuple):
    """One operation: its name, and the texts of its children and of all headers' children by local name."""

    operation: str
    arguments: dict[str, str]
    headers: dict[str, str]


def soap_response(body: str, *, status: int = 200) -> Response:
    return Response(status=status, body=body.encode(), content_type="text/xml;charset=UTF-8")


def read_call(request: Request, flavour: Flavour) -> SoapCall:
    """Read a call. Raises ``SoapFault`` for anything but a SOAP call of this flavour; the texts [assumed]"""
    if not request.header("content-type").lower().startswith("text/xml"):
        raise SoapFault("", f"expected Content-Type text/xml, found: {request.header('content-type')}")
    if b"soapaction" not in request.headers:
        raise SoapFault("", "SOAPAction HTTP header missing")
    if len(request.body) > _MAX_BYTES:
        raise SoapFault("", f"expected at most {_MAX_BYTES} bytes")
    try:
        envelope = read_xml(request.body)
    except NotXml as error:
        raise SoapFault("", f"expected an XML envelope: {error}") from None
    if envelope.tag != f"{{{_ENVELOPE}}}Envelope":
        raise SoapFault("", f"expected a SOAP 1.1 envelope, found: {envelope.tag}")
    operation = envelope.find(f"{{{_ENVELOPE}}}Body/*")
    if operation is None:
        raise SoapFault("", "expected an operation in the body")
    name = etree.QName(operation)
    if name.namespace != f"urn:{flavour}.soap.sforce.com":
        raise SoapFault("", f"No operation available for request {operation.tag}")
    headers = envelope.findall(f"{{{_ENVELOPE}}}Header/*")
    return SoapCall(name.localname, _texts(operation), {k: v for one in headers for k, v in _texts(one).items()})


def _texts(parent: Any) -> dict[str, str]:
    return {etree.QName(child).localname: child.text or "" for child in parent.iterchildren(tag=etree.Element)}
