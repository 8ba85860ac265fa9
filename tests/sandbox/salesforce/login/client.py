"""Logins of an org in this process, over SOAP and OAuth."""

from xml.sax.saxutils import escape

import httpx

from tests.sandbox.salesforce.orgs import Served

PARTNER = "/services/Soap/u/59.0"


def envelope(
    username: str = "loader@example.com",
    password: str = "loader-passwordTOKEN",
    *,
    namespace: str = "urn:partner.soap.sforce.com",
    header: str = "",
    operation: str = "login",
) -> str:
    return f"""<?xml version="1.0" encoding="utf-8"?>
<env:Envelope xmlns:env="http://schemas.xmlsoap.org/soap/envelope/" xmlns:n1="{namespace}">
  <env:Header>{header}</env:Header>
  <env:Body>
    <n1:{operation}>
      <n1:username>{escape(username)}</n1:username>
      <n1:password>{escape(password)}</n1:password>
    </n1:{operation}>
  </env:Body>
</env:Envelope>"""


async def post(served: Served, body: str, path: str = PARTNER, headers: dict[str, str] | None = None) -> httpx.Response:
    usual = {"content-type": "text/xml; charset=UTF-8", "soapaction": "login"}
    return await served.http.post(path, content=body, headers=headers or usual)


def between(text: str, name: str) -> str:
    return text.partition(f"<{name}>")[2].partition(f"</{name}>")[0]


async def fault_of(served: Served, body: str, path: str = PARTNER) -> str:
    """Return the ``sf:exceptionCode`` of a login that must fail."""
    answer = await post(served, body, path)
    assert answer.status_code == 500
    assert answer.headers["content-type"] == "text/xml;charset=UTF-8"
    return between(answer.text, "sf:exceptionCode")


TOKEN = "/services/oauth2/token"


async def ask(served: Served, form: dict[str, str], **headers: str) -> httpx.Response:
    return await served.http.post(TOKEN, data=form, headers={"authorization": "", **headers})


async def error_of_token(served: Served, form: dict[str, str], **headers: str) -> str:
    answer = await ask(served, form, **headers)
    assert answer.status_code == 400
    assert answer.json().keys() == {"error", "error_description"}
    return str(answer.json()["error"])
