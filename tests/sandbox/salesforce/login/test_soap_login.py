"""SOAP login. salesforce_bulk.md §1, §2.1, §2.2."""

import pytest

from sandbox.salesforce.faults import RefuseLogin
from sandbox.salesforce.settings import Settings, User
from tests.sandbox.salesforce.login.client import PARTNER, between, envelope, fault_of, post
from tests.sandbox.salesforce.orgs import INGEST, Served, error_of, org

ORG_ID = "00DX00000000001MAA"
INVALID_LOGIN_BYTES = """<?xml version="1.0" encoding="UTF-8"?>
<soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/" xmlns:sf="urn:fault.partner.soap.sforce.com" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"><soapenv:Body><soapenv:Fault>
<faultcode>INVALID_LOGIN</faultcode><faultstring>INVALID_LOGIN: Invalid username, password, security token; or user locked out.</faultstring>
<detail><sf:LoginFault xsi:type="sf:LoginFault"><sf:exceptionCode>INVALID_LOGIN</sf:exceptionCode><sf:exceptionMessage>Invalid username, password, security token; or user locked out.</sf:exceptionMessage></sf:LoginFault></detail>
</soapenv:Fault></soapenv:Body></soapenv:Envelope>"""  # noqa: E501 - the document's bytes
LOGIN_BYTES = """<?xml version="1.0" encoding="UTF-8"?>
<soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/" xmlns="urn:partner.soap.sforce.com" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"><soapenv:Body><loginResponse><result>
<metadataServerUrl>{url}/services/Soap/m/59.0/00DX00000000001</metadataServerUrl>
<passwordExpired>false</passwordExpired><sandbox>false</sandbox>
<serverUrl>{url}/services/Soap/u/59.0/00DX00000000001</serverUrl>
<sessionId>{session}</sessionId><userId>005X00000000001IAA</userId>
<userInfo><organizationId>00DX00000000001MAA</organizationId><organizationName>Acme</organizationName><profileId>00eX00000000001IAA</profileId><roleId xsi:nil="true"/><sessionSecondsValid>7200</sessionSecondsValid><userFullName>Bulk Loader</userFullName><userName>loader@example.com</userName><userType>Standard</userType></userInfo>
</result></loginResponse></soapenv:Body></soapenv:Envelope>"""  # noqa: E501 - the document's bytes


async def test_a_login_answers_the_documents_bytes(salesforce: Served) -> None:
    answer = await post(salesforce, envelope())
    session = between(answer.text, "sessionId")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "text/xml;charset=UTF-8")
    assert answer.text == LOGIN_BYTES.format(url=salesforce.url, session=session)
    assert session.startswith("00DX00000000001!")


async def test_a_wrong_password_answers_the_documents_bytes(salesforce: Served) -> None:
    answer = await post(salesforce, envelope(password="wrong"))
    assert (answer.status_code, answer.text) == (500, INVALID_LOGIN_BYTES)


async def test_the_enterprise_path_speaks_its_own_namespace(salesforce: Served) -> None:
    path = "/services/Soap/c/59.0"
    answer = await post(salesforce, envelope(namespace="urn:enterprise.soap.sforce.com"), path)
    assert 'xmlns="urn:enterprise.soap.sforce.com"' in answer.text
    assert between(answer.text, "serverUrl") == f"{salesforce.url}/services/Soap/c/59.0/00DX00000000001"
    failure = await post(salesforce, envelope(password="x", namespace="urn:enterprise.soap.sforce.com"), path)
    assert 'xmlns:sf="urn:fault.enterprise.soap.sforce.com"' in failure.text


@pytest.mark.parametrize(
    "headers",
    [
        pytest.param({"content-type": "text/xml; charset=UTF-8", "soapaction": '""'}, id="§2.1 SOAPAction is free"),
        pytest.param({"content-type": "text/xml", "charset": "UTF-8", "SOAPAction": "login"}, id="§2.1 charset apart"),
    ],
)
async def test_a_login_is_lenient_about_headers(salesforce: Served, headers: dict[str, str]) -> None:
    assert (await post(salesforce, envelope(), headers=headers)).status_code == 200


async def test_double_and_trailing_slashes_lead_to_the_login(salesforce: Served) -> None:
    assert (await post(salesforce, envelope(), f"{salesforce.url}/{PARTNER}/")).status_code == 200


@pytest.mark.parametrize(
    "header",
    [
        pytest.param(
            "<n1:CallOptions><n1:client>me/1</n1:client><n1:defaultNamespace>sf</n1:defaultNamespace></n1:CallOptions>",
            id="§2.1 CallOptions",
        ),
        pytest.param(
            f"<n1:LoginScopeHeader><n1:organizationId>{ORG_ID[:15]}</n1:organizationId></n1:LoginScopeHeader>",
            id="§2.1 LoginScopeHeader",
        ),
    ],
)
async def test_a_login_takes_the_optional_headers(salesforce: Served, header: str) -> None:
    assert (await post(salesforce, envelope(header=header))).status_code == 200


async def test_another_organization_in_the_scope_header_is_refused(salesforce: Served) -> None:
    header = "<n1:LoginScopeHeader><n1:organizationId>00DX00000000009</n1:organizationId></n1:LoginScopeHeader>"
    assert await fault_of(salesforce, envelope(header=header)) == "INVALID_LOGIN"


async def test_an_escaped_password_is_read_as_it_was() -> None:
    async with org(Settings(users=(User(username="loader@example.com", password="a<&>\"'b"),))) as served:
        assert (await post(served, envelope(password="a<&>\"'b"))).status_code == 200


async def test_a_session_with_an_expired_password_is_good_for_nothing() -> None:
    users = (*Settings().users, User(username="old@example.com", password="old", password_expired=True))
    async with org(Settings(users=users)) as served:
        answer = await post(served, envelope("old@example.com", "old"))
        assert between(answer.text, "passwordExpired") == "true"
        headers = {"authorization": f"Bearer {between(answer.text, 'sessionId')}"}
        assert error_of(await served.http.get(INGEST, headers=headers)) == (401, "INVALID_SESSION_ID")


@pytest.mark.parametrize(
    "code",
    [
        *("INVALID_OPERATION_WITH_EXPIRED_PASSWORD", "INSUFFICIENT_ACCESS", "ORG_LOCKED", "API_DISABLED_FOR_ORG"),
        *("REQUEST_LIMIT_EXCEEDED", "API_CURRENTLY_DISABLED", "SERVER_UNAVAILABLE"),
    ],
)
async def test_any_other_login_fault_can_be_switched_on(salesforce: Served, code: str) -> None:
    await salesforce.control.add_fault(RefuseLogin(code=code))
    assert await fault_of(salesforce, envelope()) == code
    assert (await post(salesforce, envelope())).status_code == 200


async def test_a_fault_may_come_inside_a_200_and_with_a_prefix(salesforce: Served) -> None:
    await salesforce.control.add_fault(RefuseLogin(code="INVALID_LOGIN", status=200, prefix="sf:"))
    answer = await post(salesforce, envelope())
    assert (answer.status_code, between(answer.text, "faultcode")) == (200, "sf:INVALID_LOGIN")


@pytest.mark.parametrize(
    ("version", "served"),
    [
        pytest.param("7.0", False, id="§1 retired Summer '22"),
        pytest.param("30.0", False, id="§1 retired Summer '25"),
        pytest.param("31.0", True, id="§1 oldest"),
        pytest.param("64.0", True, id="§1 newest with login()"),
        pytest.param("65.0", False, id="§1 login() is gone"),
        pytest.param("v59.0", False, id="with a v"),
        pytest.param("nine", False, id="no version"),
    ],
)
async def test_login_is_there_from_31_to_64(salesforce: Served, version: str, served: bool) -> None:
    path = f"/services/Soap/u/{version}"
    if served:
        assert (await post(salesforce, envelope(), path)).status_code == 200
    else:
        assert await fault_of(salesforce, envelope(), path) == "UNSUPPORTED_API_VERSION"


async def test_login_may_be_off() -> None:
    async with org(Settings(allow_soap_login=False)) as served:
        assert await fault_of(served, envelope()) == "INVALID_OPERATION"


@pytest.mark.parametrize(
    ("body", "headers"),
    [
        pytest.param(envelope(), {"content-type": "text/xml"}, id="§2.1 no SOAPAction"),
        pytest.param(envelope(), {"content-type": "application/json", "soapaction": "x"}, id="another content type"),
        pytest.param(envelope(namespace="urn:other"), None, id="another namespace"),
        pytest.param(envelope().replace("schemas.xmlsoap.org", "example.com"), None, id="another envelope"),
        pytest.param(envelope()[:-20], None, id="cut off"),
        pytest.param(envelope().replace("loader-", "R&D-"), None, id="§2.1 not escaped, as sfbulk sends it"),
        pytest.param("{}", None, id="no XML"),
        pytest.param("", None, id="empty"),
        pytest.param(envelope().replace("<env:Envelope", "<!DOCTYPE x [<!ENTITY e ''>]><env:Envelope"), None, id="DTD"),
        pytest.param(envelope(username="x" * 1_000_001), None, id="too large"),
    ],
)
async def test_another_call_is_the_clients_fault(salesforce: Served, body: str, headers: dict[str, str] | None) -> None:
    answer = await post(salesforce, body, headers=headers)
    assert (answer.status_code, between(answer.text, "faultcode")) == (500, "soapenv:Client")


async def test_an_expired_session_on_a_soap_call_is_told(salesforce: Served) -> None:
    header = "<n1:SessionHeader><n1:sessionId>00D!dead</n1:sessionId></n1:SessionHeader>"
    call = envelope(header=header, operation="getUserInfo")
    assert await fault_of(salesforce, call, f"{PARTNER}/{ORG_ID}") == "INVALID_SESSION_ID"


async def test_a_login_tells_the_lifetime_that_the_org_has_set() -> None:
    """§2.2 Lifetime"""
    async with org(Settings(session_lifetime_s=900)) as served:
        answer = await post(served, envelope())
        assert between(answer.text, "sessionSecondsValid") == "900"
        headers = {"authorization": f"Bearer {between(answer.text, 'sessionId')}"}
        await served.control.advance(900)
        assert error_of(await served.http.get(INGEST, headers=headers)) == (401, "INVALID_SESSION_ID")


async def test_a_soap_session_is_a_bearer_token_and_the_other_way_round(salesforce: Served) -> None:
    soap = between((await post(salesforce, envelope())).text, "sessionId")
    oauth = salesforce.session()
    for headers in ({"authorization": f"Bearer {soap}"}, {"X-SFDC-SESSION": oauth, "authorization": ""}):
        assert (await salesforce.http.get(INGEST, headers=headers)).status_code == 200
