"""Seeding of a tenant with the organizations of ``seed_data``, the same at every start but for their dates."""

import msgspec

from sandbox.bloom_growth.people import Seat, Team, User
from sandbox.bloom_growth.seed_data import SEED_DATA, Organization, Person
from sandbox.bloom_growth.seed_meetings import MeetingSeeder
from sandbox.bloom_growth.tenant import Tenant


def seed_tenant(tenant: Tenant, now: float) -> None:
    """Write a tenant's initial objects, as of ``now`` (seconds since 1970)."""
    ours, theirs = SEED_DATA.ours, SEED_DATA.theirs
    our_id, their_id = tenant.ids.next("organization"), tenant.ids.next("organization")
    we, they = _make_people(tenant, ours.people, our_id), _make_people(tenant, theirs.people, their_id)
    we[0] = msgspec.structs.replace(we[0], email=tenant.settings.user_name)
    people = zip([*we, *they], [*ours.people, *theirs.people], strict=True)
    seats = [Seat(user.id, tenant.ids.next("position"), person.position) for user, person in people]
    teams = [Team(tenant.ids.next("team"), name, our_id) for name in ours.teams]
    tenant.people.fill([*we, *they], seats, teams)
    if not tenant.settings.is_empty:
        _seed_meetings(tenant, ours, we, now)
        _seed_meetings(tenant, theirs, they, now)


def _seed_meetings(tenant: Tenant, organization: Organization, people: list[User], now: float) -> None:
    seeder = MeetingSeeder(tenant, people, now)
    for meeting in organization.meetings:
        seeder.add_meeting(meeting)
    for todo in organization.personal_todos:
        seeder.add_todo(todo, None)


def _make_people(tenant: Tenant, people: list[Person], organization_id: int) -> list[User]:
    ids = {person.name: tenant.ids.next("user") for person in people}
    return [
        User(
            id=ids[person.name],
            name=person.name,
            email=f"{person.name.lower().replace(' ', '.')}@example.com" if person.login else "",
            position=person.position or "",
            organization_id=organization_id,
            manager_id=None if person.manager is None else ids[person.manager],
            image_url=f"{tenant.settings.images_url}/{ids[person.name]}",
        )
        for person in people
    ]
