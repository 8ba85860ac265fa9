"""Answers to logins as the wire document shows them. salesforce_bulk.md §2.1, §2.3"""

import httpx

INSTANCE = "https://acme.my.salesforce.com"
SESSION = "00DX0000000ABCD!AQ4AQ.example"


def granted(
    session: str = SESSION, *, instance: str = INSTANCE, seconds: str = "7200", expired: str = "false"
) -> httpx.Response:
    """Answer a SOAP login with a session."""
    place = "59.0/00DX0000000ABCD"
    return httpx.Response(
        200,
        headers={"content-type": "text/xml;charset=UTF-8"},
        content=f"""<?xml version="1.0" encoding="UTF-8"?>
<soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/" xmlns="urn:partner.soap.sforce.com" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"><soapenv:Body><loginResponse><result>
<metadataServerUrl>{instance}/services/Soap/m/{place}</metadataServerUrl>
<passwordExpired>{expired}</passwordExpired><sandbox>false</sandbox>
<serverUrl>{instance}/services/Soap/u/{place}</serverUrl>
<sessionId>{session}</sessionId><userId>005X0000000USERAAA</userId>
<userInfo><organizationId>00DX0000000ABCDEAZ</organizationId><roleId xsi:nil="true"/><sessionSecondsValid>{seconds}</sessionSecondsValid><userName>loader@example.com</userName></userInfo>
</result></loginResponse></soapenv:Body></soapenv:Envelope>""".encode(),  # noqa: E501  # the document's lines
    )


def fault(code: str, message: str = "no", *, status: int = 500, prefix: str = "") -> httpx.Response:
    """Refuse a SOAP login."""
    return httpx.Response(
        status,
        headers={"content-type": "text/xml;charset=UTF-8"},
        content=f"""<?xml version="1.0" encoding="UTF-8"?>
<soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/" xmlns:sf="urn:fault.partner.soap.sforce.com" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"><soapenv:Body><soapenv:Fault>
<faultcode>{prefix}{code}</faultcode><faultstring>{code}: {message}</faultstring>
<detail><sf:LoginFault xsi:type="sf:LoginFault"><sf:exceptionCode>{code}</sf:exceptionCode><sf:exceptionMessage>{message}</sf:exceptionMessage></sf:LoginFault></detail>
</soapenv:Fault></soapenv:Body></soapenv:Envelope>""",  # noqa: E501  # the document's lines
    )


def token(session: str = SESSION, *, instance: str = INSTANCE) -> httpx.Response:
    """Answer an OAuth login with a token."""
    return httpx.Response(
        200,
        json={
            "access_token": session,
            "signature": "c2ln",
            "scope": "api",
            "instance_url": instance,
            "id": "https://login.salesforce.com/id/00DX0000000ABCDEAZ/005X0000000USERAAA",
            "token_type": "Bearer",
            "issued_at": "1732181339000",
        },
    )
