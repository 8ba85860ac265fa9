"""Seeding of a tenant with the organisation of ``seed_data``, the same at every start but for its dates."""

import msgspec

from sandbox.bloom_growth import seed_data
from sandbox.bloom_growth.people import Seat, Team, User
from sandbox.bloom_growth.seed_data import Person
from sandbox.bloom_growth.seed_meetings import MeetingSeeder
from sandbox.bloom_growth.tenant import Tenant


def seed_tenant(tenant: Tenant, now: float) -> None:
    """Write a tenant's initial objects, as of ``now`` (seconds since 1970)."""
    ours, theirs = tenant.next_id(), tenant.next_id()
    people = _make_people(tenant, seed_data.PEOPLE, ours)
    people[0] = msgspec.structs.replace(people[0], email=tenant.settings.user_name)
    others = _make_people(tenant, seed_data.OTHER_ORGANIZATION, theirs)
    seats = [
        *_make_seats(tenant, people, seed_data.PEOPLE),
        *_make_seats(tenant, others, seed_data.OTHER_ORGANIZATION),
    ]
    teams = [Team(tenant.next_id(), name, ours) for name in seed_data.TEAMS]
    tenant.people.fill([*people, *others], seats, teams)
    if not tenant.settings.is_empty:
        _seed_meetings(tenant, people, others, now)


def _seed_meetings(tenant: Tenant, people: list[User], others: list[User], now: float) -> None:
    seeder = MeetingSeeder(tenant, people, now)
    for meeting in seed_data.MEETINGS:
        seeder.add_meeting(meeting)
    for todo in seed_data.PERSONAL_TODOS:
        seeder.add_todo(todo, None)
    MeetingSeeder(tenant, others, now).add_meeting(seed_data.OTHER_ORGANIZATION_MEETING)


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
