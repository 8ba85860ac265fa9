"""``GET /services/data/vNN.0/limits``. salesforce_bulk.md §9 [docs]."""

from sandbox.http.messages import Request, Response
from sandbox.http.routing import Route
from sandbox.salesforce.org import Org
from sandbox.salesforce.rest import Caller, as_rest_json, rest_handler


def limits_routes(org: Org) -> list[Route]:
    def show(_: Request, __: Caller) -> Response:
        return as_rest_json(org.limits.shown())

    return [Route("GET", "/services/data/{version}/limits", rest_handler(org, show))]
