"""Fills a tenant with the organisation of `seed_data`, so that it is the same at every start but for its dates."""

import msgspec

from sandbox.bloom_growth import seed_data
from sandbox.bloom_growth.people import Seat, Team, User
from sandbox.bloom_growth.seed_agenda import AgendaSeed
from sandbox.bloom_growth.seed_data import Person
from sandbox.bloom_growth.tenant import Tenant


def sow(tenant: Tenant, now: float) -> None:
    """Writes a tenant's start, as of `now` (seconds since 1970)."""
    ours, theirs = tenant.next_id(), tenant.next_id()
    people = _make_people(tenant, seed_data.PEOPLE, ours)
    people[0] = msgspec.structs.replace(people[0], email=tenant.settings.user_name)
    neighbours = _make_people(tenant, seed_data.NEIGHBOURS, theirs)
    seats = [
        *_make_seats(tenant, people, seed_data.PEOPLE),
        *_make_seats(tenant, neighbours, seed_data.NEIGHBOURS),
    ]
    teams = [Team(tenant.next_id(), name, ours) for name in seed_data.TEAMS]
    tenant.people.fill([*people, *neighbours], seats, teams)
    if not tenant.settings.is_empty:
        _sow_meetings(tenant, people, neighbours, now)


def _sow_meetings(tenant: Tenant, people: list[User], neighbours: list[User], now: float) -> None:
    seed = AgendaSeed(tenant, people, now)
    for agenda in seed_data.AGENDAS:
        seed.hold(agenda)
    for todo in seed_data.PERSONAL_TODOS:
        seed.add_todo(todo, None)
    AgendaSeed(tenant, neighbours, now).hold(seed_data.NEIGHBOURS_AGENDA)


def _make_people(tenant: Tenant, people: tuple[Person, ...], organization_id: int) -> list[User]:
    ids = [tenant.next_id() for _ in people]
    return [
        User(
            id=key,
            name=person.name,
            email=f"{person.name.lower().replace(' ', '.')}@example.com" if person.login else "",
            position=person.position or "",
            organization_id=organization_id,
            manager_id=None if person.manager is None else ids[person.manager],
            image_url=f"{tenant.settings.images_url}/{key}",
        )
        for key, person in zip(ids, people, strict=True)
    ]


def _make_seats(tenant: Tenant, users: list[User], people: tuple[Person, ...]) -> list[Seat]:
    pairs = zip(users, people, strict=True)
    return [Seat(user.id, tenant.next_id(), person.position) for user, person in pairs]
