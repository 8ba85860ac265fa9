"""Request that brought a batch or job, by which faults and the ledger know it."""

from typing import NamedTuple

from sandbox.http.messages import Request
from sandbox.salesforce.sessions import OrgUser


class Origin(NamedTuple):
    """Request that brought a batch: its user, and its names for faults and for the ledger."""

    user: OrgUser
    number: int
    method: str
    path: str
    endpoint: str
    """Name of the call in the ledger: ``POST /services/async/job/batch``"""


def origin_of(request: Request, user: OrgUser, endpoint: str) -> Origin:
    return Origin(user, request.number, request.method, request.path, endpoint)
