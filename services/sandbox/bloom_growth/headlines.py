"""Headlines. bloom_growth.md §8 [client], [docs:ref]."""

import msgspec

from sandbox.bloom_growth.binding import spelling
from sandbox.bloom_growth.call import Call, Id, Written, updated
from sandbox.bloom_growth.instants import instant
from sandbox.bloom_growth.people import UserView
from sandbox.bloom_growth.rows import Headline
from sandbox.bloom_growth.tenant import Tenant
from sandbox.bloom_growth.views import ObjectView


class HeadlineFields(msgspec.Struct, kw_only=True, rename=spelling):
    """Body of a create, and of an update too [assumed]."""

    title: str | None = None
    owner_id: Id | None = None
    notes: str | None = None


class HeadlineView(ObjectView, kw_only=True, rename="pascal", gc=False):
    """A headline as answered. ``DetailsUrl`` is null while there are no notes."""

    details_url: str | None
    origin_id: int
    origin: str
    owner: UserView
    archived: bool
    create_time: str
    close_time: str | None


class Headlines:
    """Handlers of headlines. Nothing in v1 archives or closes one."""

    def __init__(self, tenant: Tenant) -> None:
        self._tenant = tenant

    def create(self, call: Call) -> Written:
        new, meeting_id = call.body(HeadlineFields), call.number("mid")
        title = self._tenant.title(new.title)
        self._tenant.meeting(meeting_id, call.caller)
        owner_id = self._tenant.owner_id(new.owner_id, call.caller)
        headline = Headline(
            title=title,
            owner_id=owner_id,
            created_at=instant(call.now),
            notes=new.notes or "",
            noted_at=call.now,
            meeting_id=meeting_id,
        )
        key = self._tenant.add(self._tenant.headlines, headline)
        return Written(str(key), "CREATED", self._view(call, key, headline), title)

    def read(self, call: Call) -> HeadlineView:
        return self._view(call, call.number(), self._find(call))

    def update(self, call: Call) -> Written:
        key, headline, change = call.number(), self._find(call), call.body(HeadlineFields)
        if change.title is not None:
            headline.title = self._tenant.title(change.title)
        if change.owner_id is not None:
            headline.owner_id = self._tenant.owner_id(change.owner_id, call.caller)
        headline.write_notes(change.notes, call.now)
        return updated(key, differs=self._tenant.headlines.put(key, headline), title=change.title)

    def delete(self, call: Call) -> Written:
        key = call.number()
        self._find(call)
        self._tenant.headlines.remove(key)
        return Written(str(key), "DELETED")

    def of_meeting(self, call: Call) -> list[HeadlineView]:
        meeting_id = call.number("mid")
        self._tenant.meeting(meeting_id, call.caller)
        return [self._view(call, key, one) for key, one in self._tenant.headlines.of_meeting(meeting_id)]

    def of_user(self, call: Call) -> list[HeadlineView]:
        user = self._tenant.people.require(call.number("uid"), call.caller)
        return [self._view(call, key, one) for key, one in self._tenant.headlines.of_person(user.id)]

    def _find(self, call: Call) -> Headline:
        return self._tenant.find(self._tenant.headlines, call.number(), call.caller)

    def _view(self, call: Call, key: int, headline: Headline) -> HeadlineView:
        return HeadlineView(
            id=key,
            type="AngularHeadline",
            key=f"AngularHeadline_{key}",
            name=headline.title,
            details_url=self._tenant.pad_url(call, self._tenant.headlines, key, headline) if headline.notes else None,
            origin_id=headline.meeting_id,
            origin=self._tenant.meeting_name(headline.meeting_id),
            owner=self._tenant.owner(headline.owner_id),
            archived=False,
            create_time=headline.created_at,
            close_time=None,
        )
