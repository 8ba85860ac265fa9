"""The organisation of a sandbox at its start: its people, meetings, and their objects.

Owners, attendees and managers are indexes in the table of people. The data is the same at every start.
"""

from typing import Literal, NamedTuple


class Person(NamedTuple):
    """A person; without ``login`` a placeholder for a future one. ``manager`` is an index."""

    name: str
    position: str | None
    manager: int | None = None
    login: bool = True


class SeedGoal(NamedTuple):
    """A goal, and its ``Completion``: 0 at risk, 1 on track, 2 complete."""

    title: str
    owner: int
    completion: int = 1
    is_archived: bool = False


class SeedTodo(NamedTuple):
    """A todo, due in some days, or some days ago if negative."""

    title: str
    owner: int
    due_days: int
    state: Literal["open", "done", "closed", "milestone"] = "open"


class SeedIssue(NamedTuple):
    """An issue."""

    title: str
    owner: int
    is_solved: bool = False


class SeedHeadline(NamedTuple):
    """A headline."""

    title: str
    owner: int
    notes: str = ""


class SeedMeasurable(NamedTuple):
    """A measurable; its scores differ by up to ``spread`` from ``usual``, its target where it has one."""

    title: str
    owner: int
    usual: int | float
    spread: int | float
    direction: str = "GreaterThan"
    modifiers: str = "None"
    has_target: bool = True
    """False for a number that is only watched: live scorecards have such ones. §7 [test:live, commit note]"""


class SeedMeeting(NamedTuple):
    """A meeting and its objects."""

    name: str
    attendees: tuple[int, ...]
    goals: tuple[SeedGoal, ...]
    todos: tuple[SeedTodo, ...]
    issues: tuple[SeedIssue, ...]
    headlines: tuple[SeedHeadline, ...]
    measurables: tuple[SeedMeasurable, ...]


PEOPLE = (
    Person("Alex Morgan", "Integrator"),
    Person("Priya Nair", "Visionary"),
    Person("Jonas Weber", "Head of Sales", 0),
    Person("Maria Lopez", "Head of Operations", 0),
    Person("Samuel Okafor", "Head of Finance", 0),
    Person("Hannah Lindqvist", "Head of Marketing", 0),
    Person("Tom Becker", "Account Executive", 2),
    Person("Aisha Rahman", "Account Executive", 2),
    Person("Diego Santos", "Plant Manager", 3),
    Person("Emily Chen", "Logistics Lead", 3),
    Person("Luca Romano", "Controller", 4),
    Person("Grace Mensah", None, 5),
    Person("Open seat, Customer Care", "Customer Care Lead", 3, login=False),
)
TEAMS = ("Leadership", "Sales", "Operations")

MEETINGS = (
    SeedMeeting(
        "Leadership Team L10",
        (0, 1, 2, 3, 4, 5),
        goals=(
            SeedGoal("Open the Rotterdam warehouse", 3, 1),
            SeedGoal("Sign two distribution partners", 2, 0),
            SeedGoal("Close the books in five working days", 4, 1),
            SeedGoal("Publish the new brand guide", 5, 2),
            SeedGoal("Move the head office", 0, 2, is_archived=True),
            SeedGoal("Hire a customer care lead", 0, 1),
        ),
        todos=(
            SeedTodo("Send the lease draft to the landlord", 3, 3),
            SeedTodo("Call the bank about the credit line", 4, 5),
            SeedTodo("Review the interview shortlist", 0, 2, "done"),
            SeedTodo("Share last quarter's customer survey", 5, -4, "closed"),
            SeedTodo("Landlord signs the lease", 3, 30, "milestone"),
        ),
        issues=(
            SeedIssue("Freight costs rose nine percent", 3),
            SeedIssue("No backup for payroll", 4),
            SeedIssue("The offsite has no date yet", 0),
            SeedIssue("Two reviews below four stars", 5),
            SeedIssue("Parking at the head office", 0, is_solved=True),
        ),
        headlines=(
            SeedHeadline("Largest order of the year from a hospital group", 2, "Delivery in three parts."),
            SeedHeadline("Audit passed without findings", 4),
            SeedHeadline("Rotterdam lease is down to two candidates", 0, "Visit on the 12th."),
        ),
        measurables=(
            SeedMeasurable("Weekly revenue", 2, 84_000, 9_000, "GreaterThan", "Dollar"),
            SeedMeasurable("Cash on hand", 4, 310_000, 25_000, "GreaterThan", "Dollar"),
            SeedMeasurable("Open positions", 0, 3, 2, "LessThan"),
        ),
    ),
    SeedMeeting(
        "Sales Weekly",
        (0, 2, 6, 7),
        goals=(SeedGoal("Bring the win rate to 30 percent", 6, 1), SeedGoal("Renew the ten largest accounts", 7, 1)),
        todos=(
            SeedTodo("Prepare the hospital group's quote", 6, 1),
            SeedTodo("Clean up deals older than 90 days", 7, 6),
            SeedTodo("Invite customers to the open day", 0, 7),
            SeedTodo("Update the price list", 2, -2, "done"),
        ),
        issues=(
            SeedIssue("Quotes take four days to approve", 6),
            SeedIssue("Leads from the fair are not followed up", 7),
            SeedIssue("Discount limits are unclear", 2, is_solved=True),
        ),
        headlines=(SeedHeadline("Tom passed the advanced negotiation course", 2),),
        measurables=(
            SeedMeasurable("First meetings held", 6, 12, 4),
            SeedMeasurable("Quotes sent", 7, 20, 6, has_target=False),
            SeedMeasurable("Win rate", 2, 27, 5, "GreaterThan", "Percent"),
        ),
    ),
    SeedMeeting(
        "Operations Weekly",
        (3, 8, 9),
        goals=(SeedGoal("Cut picking errors by half", 9, 0), SeedGoal("Certify line 2 for food packaging", 8, 1)),
        todos=(
            SeedTodo("Order spare belts for line 2", 8, 4),
            SeedTodo("Ask carriers for December capacity", 9, 2),
            SeedTodo("Write the forklift schedule", 9, 6, "done"),
        ),
        issues=(SeedIssue("Line 2 stops at shift changes", 8), SeedIssue("Pallets are labelled twice", 9)),
        headlines=(SeedHeadline("200 days without an accident", 8, "Lunch on Friday."),),
        measurables=(
            SeedMeasurable("Orders shipped on time", 9, 97.5, 2, "GreaterThan", "Percent"),
            SeedMeasurable("Line 2 downtime, minutes", 8, 45, 30, "LessThan"),
            SeedMeasurable("Overtime hours", 3, 60, 20, "LessThan"),
        ),
    ),
)
PERSONAL_TODOS = (
    SeedTodo("Book the flight to Rotterdam", 0, 4),
    SeedTodo("Read the leasing contract", 3, 2),
    SeedTodo("Renew badge", 6, 9),
)

OTHER_ORGANIZATION = (Person("Nora Vance", "Integrator"), Person("Felix Braun", "Visionary"))
OTHER_ORGANIZATION_MEETING = SeedMeeting(
    "Board of the other organization",
    (0, 1),
    goals=(SeedGoal("A goal of theirs", 0, 1),),
    todos=(SeedTodo("A todo of theirs", 0, 3),),
    issues=(SeedIssue("An issue of theirs", 1),),
    headlines=(SeedHeadline("A headline of theirs", 1),),
    measurables=(SeedMeasurable("A measurable of theirs", 0, 10, 3),),
)
"""A second organization, for what is forbidden to the first. §13.4 [assumed]"""
