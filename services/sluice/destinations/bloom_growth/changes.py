"""Changes to a record that exists: its fields first, then its state, then attendees. §14

All calls are safe to repeat, so after an outage the whole work is done again. A refusal after the first applied step
ends as ``partial``, which names what was applied. The server may answer success and do nothing, so a changed state is
read back. §15
"""

from msgspec import Raw

from sluice.destinations.bloom_growth.answers import Record
from sluice.destinations.bloom_growth.api import Api
from sluice.destinations.bloom_growth.meetings import Meetings, partial
from sluice.destinations.bloom_growth.work import Update
from sluice.destinations.contract import Refused
from sluice.destinations.item_calls import Calls
from sluice.flow.outcome import Fate, Outcome

PATHS = {"issue": "issues", "todo": "todo", "goal": "rocks", "meeting": "L10", "headline": "headline"}
"""First part of the path of a record. §3, §8"""


class Changer:
    """Changer of records."""

    def __init__(self, api: Api, meetings: Meetings) -> None:
        self._api = api
        self._meetings = meetings

    async def change(self, update: Update, calls: Calls) -> Outcome:
        """Apply ``update``. Raises ``BatchError`` when nothing is applied, or all is to be applied again."""
        what, record_id = f"{update.object} {update.id}", str(update.id)
        applied: list[str] = []
        problem: Outcome | None = None
        try:
            if update.names:
                await self._put(update, calls)
                applied += update.names
            if update.complete is not None:
                problem = await self._complete(update, calls)
                applied.append("complete")
            if update.archived is not None:
                problem = await self._archive(update, calls)
                applied.append("archived")
        except Refused as error:
            if not applied:
                raise
            message = f"{what}: applied {', '.join(applied)}, then: {error}; correct the rest and redrive"
            return Outcome(Fate.REJECTED, "partial", message, record_id, error.http_status)
        if problem is not None:
            return problem
        missing = await self._meetings.add(update.id, update.attendees, calls)
        if not missing:
            return Outcome(Fate.DELIVERED, "UPDATED", record_id=record_id)
        if not applied and len(missing) == len(update.attendees):
            raise next(iter(missing.values()))
        return partial(f"{what}: applied {', '.join(applied) or 'some attendees'}", record_id, missing)

    async def _put(self, update: Update, calls: Calls) -> None:
        path, body = f"{PATHS[update.object]}/{update.id}", update.fields
        if update.keeps_owner:
            # Without an owner the server may make us the owner. §6, owner hazard
            goal = await self._api.read(f"{path}?include_origin=true", calls.permit)
            owner_id = None if goal.owner is None else goal.owner.id
            if owner_id is None:
                message = f"goal {update.id}: expected its owner in the answer, to keep it, got none; name `user_id`"
                raise Refused("no-owner", message)
            body = Raw(bytes(body)[:-1] + b',"accountableUserId":%d}' % owner_id)
        await self._api.change("PUT", path, calls.permit, bytes(body))

    async def _complete(self, update: Update, calls: Calls) -> Outcome | None:
        """Complete or reopen; return what became of it instead, if that is seen. §3.5, §3.13"""
        word = b"true" if update.complete else b"false"
        if update.object == "todo":
            await self._api.change("POST", f"todo/{update.id}/complete?status={word.decode()}", calls.permit)
            return None
        path = f"issues/{update.id}"
        await self._api.change("POST", f"{path}/complete", calls.permit, b'{"complete":%b}' % word)
        issue = await self._api.read(path, calls.permit)
        hint = "an archived issue cannot be solved" if issue.archived else ""
        return None if bool(issue.close_time) == update.complete else _not_applied(update, "complete", hint)

    async def _archive(self, update: Update, calls: Calls) -> Outcome | None:
        """Archive or restore; return what became of it instead, if that is seen. §3.21"""
        path = f"rocks/{update.id}"
        await self._api.change("PUT", f"{path}/{'archive' if update.archived else 'restore'}", calls.permit)
        goal: Record = await self._api.read(f"{path}?include_origin=true", calls.permit)
        return None if goal.archived in (None, update.archived) else _not_applied(update, "archived")


def _not_applied(update: Update, name: str, hint: str = "") -> Outcome:
    """Return the outcome of a success that did nothing: it may do so later, so it is tried again. §15"""
    message = f"{update.object} {update.id}: the server answered success and left `{name}` as it was"
    return Outcome(Fate.RETRYABLE, "not-applied", f"{message}; {hint}" if hint else message, str(update.id))
