"""The organizations of a sandbox at its start: their people, meetings, and their objects, read from ``seed.toml``."""

from pathlib import Path
from typing import Literal

import msgspec


class Person(msgspec.Struct, frozen=True, kw_only=True):
    """A person; without ``login`` a placeholder for a future one. ``manager`` is the name of another."""

    name: str
    position: str | None = None
    manager: str | None = None
    login: bool = True


class SeedItem(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An object of a meeting; ``owner`` is the name of a person."""

    title: str
    owner: str


class SeedGoal(SeedItem, frozen=True, kw_only=True):
    """A goal, and its ``Completion``: 0 at risk, 1 on track, 2 complete."""

    completion: Literal[0, 1, 2] = 1
    is_archived: bool = False


class SeedTodo(SeedItem, frozen=True, kw_only=True):
    """A todo, due in some days, or some days ago if negative."""

    due_days: int
    state: Literal["open", "done", "closed", "milestone"] = "open"


class SeedIssue(SeedItem, frozen=True, kw_only=True):
    """An issue."""

    is_solved: bool = False


class SeedHeadline(SeedItem, frozen=True, kw_only=True):
    """A headline."""

    notes: str = ""


class SeedMeasurable(SeedItem, frozen=True, kw_only=True):
    """A measurable; its scores differ by up to ``spread`` from ``usual``, its target where it has one."""

    usual: int | float
    spread: int | float
    direction: str = "GreaterThan"
    modifiers: str = "None"
    has_target: bool = True
    """False for a number that is only watched: live scorecards have such ones. §7 [test:live, commit note]"""


class SeedMeeting(msgspec.Struct, frozen=True, kw_only=True):
    """A meeting and its objects; ``attendees`` are names of people."""

    name: str
    attendees: list[str]
    goals: list[SeedGoal]
    todos: list[SeedTodo]
    issues: list[SeedIssue]
    headlines: list[SeedHeadline]
    measurables: list[SeedMeasurable]


class Organization(msgspec.Struct, frozen=True, kw_only=True):
    """People, their teams, their meetings, and todos that are in no meeting."""

    people: list[Person]
    teams: list[str] = []
    meetings: list[SeedMeeting]
    personal_todos: list[SeedTodo] = []


class SeedData(msgspec.Struct, frozen=True, kw_only=True):
    """All of the data; ``theirs`` is for what is forbidden to the first organization. §13.4 [assumed]"""

    ours: Organization
    theirs: Organization


SEED_DATA = msgspec.toml.decode(Path(__file__).with_name("seed.toml").read_bytes(), type=SeedData)
