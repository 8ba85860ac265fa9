"""Table of the endpoints of bloom_growth.md §3, §8 and §15, from which the routes are made.

Paths are spelt as the document spells them; case does not matter (§1). A fixed path comes before one with an id that
also matches it. Row 14, deleting a todo, does not exist.
"""

from collections.abc import Callable
from typing import NamedTuple

from sandbox.bloom_growth.call import Call, Written
from sandbox.bloom_growth.goals import Goals
from sandbox.bloom_growth.headlines import Headlines
from sandbox.bloom_growth.issues import Issues
from sandbox.bloom_growth.meetings import Meetings
from sandbox.bloom_growth.pads import Pads
from sandbox.bloom_growth.scorecard import Scorecard
from sandbox.bloom_growth.tenant import Tenant
from sandbox.bloom_growth.todos import Todos
from sandbox.bloom_growth.user_reads import UserReads

BASE = "/api/v1"
"""§1 [client]"""


class Read(NamedTuple):
    """A GET: its row in the document, its path, its handler."""

    row: str
    path: str
    act: Callable[[Call], object]
    method: str = "GET"


class Write(NamedTuple):
    """A call that changes an object; the ledger records its object and operation."""

    row: str
    method: str
    path: str
    object: str
    operation: str
    act: Callable[[Call], Written]


Endpoint = Read | Write


def make_endpoints(tenant: Tenant, pads: Pads) -> list[Endpoint]:
    issues, todos, goals, meetings = Issues(tenant), Todos(tenant), Goals(tenant), Meetings(tenant)
    users, headlines, scorecard = UserReads(tenant.people), Headlines(tenant), Scorecard(tenant)
    return [
        Write("§3.1", "POST", "/issues/create", "issue", "create", issues.create),
        Write("§3.2", "POST", "/L10/{mid}/issues", "issue", "create", issues.create_in_meeting),
        Read("§3.3", "/issues/{id}", issues.read),
        Write("§3.4", "PUT", "/issues/{id}", "issue", "update", issues.update),
        Write("§3.5", "POST", "/issues/{id}/complete", "issue", "complete", issues.complete),
        Write("§3.6", "DELETE", "/L10/{mid}/issues/{id}", "issue", "delete", issues.delete),
        Read("§3.7", "/issues/users/mine", issues.of_caller),
        Read("§3.7", "/issues/users/{uid}", issues.of_user),
        Read("§3.8", "/L10/{mid}/issues", issues.of_meeting),
        Write("§3.9", "POST", "/L10/{mid}/todos", "todo", "create", todos.create_in_meeting),
        Write("§3.10", "POST", "/todo/create", "todo", "create", todos.create_personal),
        Read("§3.11", "/todo/{id}", todos.read),
        Write("§3.12", "PUT", "/todo/{id}", "todo", "update", todos.update),
        Write("§3.13", "POST", "/todo/{id}/complete", "todo", "complete", todos.complete),
        Read("§3.15", "/todo/user/{uid}", todos.of_user),
        Read("§3.15", "/todo/users/mine", todos.of_caller),
        Read("§15", "/todo/notes/{id}", pads.of_todo),
        Read("§3.16", "/L10/{mid}/todos", todos.of_meeting),
        Write("§3.17", "POST", "/L10/{mid}/rocks", "goal", "create", goals.create_in_meeting),
        Write("§3.18", "POST", "/rocks/create", "goal", "create", goals.create),
        Read("§3.19", "/rocks/{id}", goals.read),
        Write("§3.20", "PUT", "/rocks/{id}", "goal", "update", goals.update),
        Write("§3.21", "PUT", "/rocks/{id}/archive", "goal", "archive", goals.archive),
        Write("§3.21", "PUT", "/rocks/{id}/restore", "goal", "restore", goals.restore),
        Write("§3.22", "DELETE", "/rocks/{id}", "goal", "delete", goals.delete),
        Read("§3.23", "/rocks/user/{uid}", goals.active_of_user),
        Read("§3.24", "/archivedrocks/user/{uid}", goals.archived_of_user),
        Read("§3.25", "/L10/{mid}/rocks", goals.of_meeting),
        Write("§3.25", "POST", "/L10/{mid}/rocks/{id}", "goal", "attach", goals.attach),
        Write("§3.25", "DELETE", "/L10/{mid}/rocks/{id}", "goal", "detach", goals.detach),
        Write("§3.26", "POST", "/L10/create", "meeting", "create", meetings.create),
        Write("§3.27", "POST", "/L10/{mid}/attendees/{uid}", "attendee", "create", meetings.add_attendee),
        Read("§3.31", "/L10/list", meetings.of_caller),
        Write("§3.28", "PUT", "/L10/{mid}", "meeting", "update", meetings.rename),
        Write("§3.29", "DELETE", "/L10/{mid}", "meeting", "delete", meetings.delete),
        Read("§3.30", "/L10/{mid}", meetings.read),
        Read("§3.31", "/L10/{uid}/list", meetings.of_user),
        Read("§3.32", "/L10/{mid}/attendees", meetings.attendees),
        Read("§3.34", "/users/mine", users.me),
        Read("§3.34", "/users/{uid}", users.read),
        Read("§8", "/users/{uid}/directreports", users.direct_reports),
        Read("§8", "/users/{uid}/seats", users.seats),
        Read("§8", "/search/user", users.search_users),
        Read("§8", "/search/all", users.search_all),
        Write("§8", "POST", "/L10/{mid}/headlines", "headline", "create", headlines.create),
        Read("§8", "/headline/{id}", headlines.read),
        Write("§8", "PUT", "/headline/{id}", "headline", "update", headlines.update),
        Write("§8", "DELETE", "/headline/{id}", "headline", "delete", headlines.delete),
        Read("§8", "/L10/{mid}/headlines", headlines.of_meeting),
        Read("§8", "/headline/users/{uid}", headlines.of_user),
        Read("§3.33", "/L10/{mid}/measurables", scorecard.measurables),
        Read("§8", "/weeks/current", scorecard.current_week),
        Read("§8", "/scorecard/user/{uid}", scorecard.of_user),
        Read("§8", "/scorecard/meeting/{mid}", scorecard.of_meeting),
        Write("§8", "PUT", "/measurables/{id}/week/{week}", "score", "update", scorecard.score),
    ]
