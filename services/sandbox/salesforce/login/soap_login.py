"""``POST /services/Soap/u/NN.0`` and ``/c/NN.0``: ``login()``, and nothing else of SOAP. salesforce_bulk.md §2.1."""

from xml.sax.saxutils import escape

from sandbox.http.messages import Request, Response
from sandbox.http.routing import Route
from sandbox.salesforce import ids, versions
from sandbox.salesforce.faults import Moved, RefuseLogin
from sandbox.salesforce.login.credentials import Credentials, LoginRefused
from sandbox.salesforce.login.soap import Flavour, SoapCall, SoapFault, read_call, soap_response
from sandbox.salesforce.org import Org
from sandbox.salesforce.sessions import OrgUser

_LETTERS: dict[Flavour, str] = {"partner": "u", "enterprise": "c"}


def soap_routes(org: Org, credentials: Credentials) -> list[Route]:
    """Return the routes, also with the org's id at the end: login answers name that path for later calls."""
    routes = []
    for flavour, letter in _LETTERS.items():
        path = f"/services/Soap/{letter}/{{version}}"
        answer = SoapLogin(org, credentials, flavour).answer
        routes += [Route("POST", path, answer), Route("POST", f"{path}/{{org}}", answer)]
    return routes


class SoapLogin:
    """Login of one flavour of the SOAP API."""

    def __init__(self, org: Org, credentials: Credentials, flavour: Flavour) -> None:
        self._org = org
        self._credentials = credentials
        self._flavour: Flavour = flavour

    def answer(self, request: Request) -> Response:
        try:
            self._check_version(request.params["version"])
            call = read_call(request, self._flavour)
            if call.operation != "login":
                raise self._refusal(call)
            return self._logged_in(self._login(call, request), request)
        except SoapFault as fault:
            return fault.response(self._flavour)
        except LoginRefused as refusal:
            return SoapFault(refusal.code, str(refusal)).response(self._flavour)

    def _check_version(self, version: str) -> None:
        """Refuse a retired version with an HTTP 500, and ``login()`` after 64.0. §1 [docs]"""
        if versions.status_of(version) != "served" or versions.number_of(version) > versions.NEWEST_SOAP_LOGIN:
            raise SoapFault("UNSUPPORTED_API_VERSION", f"Unsupported API version: {version}")

    def _refusal(self, call: SoapCall) -> SoapFault:
        """Return the refusal of any other operation. An expired session is reported first. §2.2 [docs]"""
        if self._org.sessions.renew(call.headers.get("sessionId", "")) is None:
            message = "Invalid Session ID found in SessionHeader: Illegal Session. Session not found"
            return SoapFault("INVALID_SESSION_ID", message)
        return SoapFault("", f"No operation available for request {call.operation}: the sandbox has login only")

    def _login(self, call: SoapCall, request: Request) -> OrgUser:
        for fault in self._org.faults.acting((RefuseLogin,), request.method, request.path, request.body):
            raise SoapFault(fault.code, fault.message or fault.code, prefix=fault.prefix, status=fault.status)
        if not self._org.settings.allow_soap_login:
            raise SoapFault("INVALID_OPERATION", "SOAP API login() is disabled by default in this org.")
        scope = call.headers.get("organizationId")
        if scope is not None and ids.canonical(scope) != self._org.settings.org_id:
            raise LoginRefused("INVALID_LOGIN")
        return self._credentials.check(call.arguments.get("username", ""), call.arguments.get("password", ""))

    def _logged_in(self, user: OrgUser, request: Request) -> Response:
        settings = self._org.settings
        instance = instance_url(self._org, request)
        place = f"{request.params['version']}/{settings.org_id[:15]}"
        expired = "true" if user.user.password_expired else "false"
        return soap_response(
            '<?xml version="1.0" encoding="UTF-8"?>\n'
            '<soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/" '
            f'xmlns="urn:{self._flavour}.soap.sforce.com" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">'
            "<soapenv:Body><loginResponse><result>\n"
            f"<metadataServerUrl>{escape(f'{instance}/services/Soap/m/{place}')}</metadataServerUrl>\n"
            f"<passwordExpired>{expired}</passwordExpired>"
            f"<sandbox>{'true' if settings.is_sandbox else 'false'}</sandbox>\n"
            f"<serverUrl>{escape(f'{instance}/services/Soap/{_LETTERS[self._flavour]}/{place}')}</serverUrl>\n"
            f"<sessionId>{self._org.sessions.open(user)}</sessionId><userId>{user.id}</userId>\n"
            f"{self._user_info(user)}\n"
            "</result></loginResponse></soapenv:Body></soapenv:Envelope>"
        )

    def _user_info(self, user: OrgUser) -> str:
        """Return the children that the document shows, of about 20. §2.1 [docs]"""
        settings = self._org.settings
        return (
            f"<userInfo><organizationId>{settings.org_id}</organizationId>"
            f"<organizationName>{escape(settings.organization_name)}</organizationName>"
            f'<profileId>{ids.make(ids.PROFILE, 1)}</profileId><roleId xsi:nil="true"/>'
            f"<sessionSecondsValid>{settings.session_lifetime_s}</sessionSecondsValid>"
            f"<userFullName>{escape(user.user.full_name)}</userFullName>"
            f"<userName>{escape(user.user.username)}</userName><userType>Standard</userType></userInfo>"
        )


def instance_url(org: Org, request: Request) -> str:
    """Return scheme and authority of the org: where it has moved to, from the settings, else from the request."""
    for active in org.faults.standing():
        if isinstance(active.fault, Moved) and active.fault.login_names_it:
            return active.fault.location.rstrip("/")
    return org.settings.instance_url or f"http://{request.header('host')}"
