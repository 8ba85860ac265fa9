"""Meetings: created, then their attendees added one by one. A meeting stands also when an attendee is refused. §7

1. ``POST L10/create``, and its id in the journal before anything else: a later try goes on with this meeting.
2. Each attendee, which is safe to repeat: a later try adds all again, because the record may have been corrected.
3. What was refused is read back once. If somebody is missing, the record ends as ``partial``, with the ids.
"""

from collections.abc import Sequence

from sluice.destinations.bloom_growth.api import Api
from sluice.destinations.bloom_growth.creates import Creator
from sluice.destinations.bloom_growth.refs import id_in
from sluice.destinations.bloom_growth.work import Create
from sluice.destinations.contract import Refused
from sluice.destinations.item_calls import Calls
from sluice.flow.batch import Item
from sluice.flow.outcome import Fate, Outcome

MEETING = "meeting"
"""Ref of a meeting's item: the id of the meeting that is made."""
ADOPTED = "adopted"
"""Ref beside it: the answer was lost, and the meeting was found."""


class Meetings:
    """Maker of meetings, and adder of attendees."""

    def __init__(self, api: Api, creator: Creator) -> None:
        self._api = api
        self._creator = creator

    async def make(self, create: Create, item: Item, calls: Calls) -> Outcome:
        """Make the meeting of ``create``, or what is missing of it. Raises ``BatchError``."""
        code, meeting_id = "adopted" if ADOPTED in item.refs else "CREATED", id_in(item.refs, MEETING)
        made = Outcome(Fate.DELIVERED, code, record_id=str(meeting_id))
        if meeting_id is None:
            made = await self._creator.make(create, item, calls)
            if made.record_id is not None and create.attendees:
                await calls.note({MEETING: made.record_id})
        missing = await self.add(int(made.record_id or 0), create.attendees, calls)
        return partial(f"the meeting {made.record_id} is made", made.record_id, missing) if missing else made

    async def add(self, meeting_id: int, user_ids: Sequence[int], calls: Calls) -> dict[int, Refused]:
        """Add ``user_ids`` and return the refusals of those who do not attend. Raises other ``BatchError``s."""
        refused: dict[int, Refused] = {}
        for user_id in user_ids:
            try:
                await self._api.change("POST", f"L10/{meeting_id}/attendees/{user_id}", calls.permit)
            except Refused as error:
                refused[user_id] = error
        if refused:
            # Adding one again may be refused: nobody says. §7 [assumed]
            for user_id in await self._attending(meeting_id, calls):
                refused.pop(user_id, None)
        return refused

    async def _attending(self, meeting_id: int, calls: Calls) -> list[int]:
        found: list[int] = []
        try:
            await self._api.list(f"L10/{meeting_id}/attendees", calls.permit, lambda row: found.append(row.id or 0))
        except Refused:
            return []
        return found


def partial(applied: str, record_id: str | None, missing: dict[int, Refused]) -> Outcome:
    """Return the outcome of a record that is there, and ``missing`` attendees."""
    ids = ", ".join(str(user_id) for user_id in missing)
    first = next(iter(missing.values()))
    message = (
        f"{applied}, and attendees are missing: {ids}; correct `attendees` and redrive, which goes on with this "
        f"meeting; the first refusal: {first}"
    )
    return Outcome(Fate.REJECTED, "partial", message, record_id, first.http_status)
