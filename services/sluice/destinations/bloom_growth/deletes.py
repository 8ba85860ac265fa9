"""Deletes. That of an issue needs its meeting. §14"""

from sluice.destinations.bloom_growth.api import Api
from sluice.destinations.bloom_growth.changes import PATHS
from sluice.destinations.bloom_growth.work import Delete
from sluice.destinations.contract import Refused
from sluice.destinations.item_calls import Calls
from sluice.flow.batch import Item
from sluice.flow.outcome import Fate, Outcome

DELETING = "deleting"
"""Ref of an item whose delete may have been sent, with the id: a 404 is then its own doing. §12 [assumed]"""


async def delete(work: Delete, item: Item, api: Api, calls: Calls) -> Outcome:
    """Delete the record. Raises ``BatchError``."""
    deleted = Outcome(Fate.DELIVERED, "DELETED", record_id=str(work.id))
    was_sent = item.refs.get(DELETING) == str(work.id)
    try:
        path = await _path(work, api, calls)
        if not was_sent:
            await calls.note({DELETING: str(work.id)})
        await api.change("DELETE", path, calls.permit)
    except Refused as error:
        if was_sent and error.http_status == 404:
            return deleted
        if not was_sent and DELETING in item.refs and not error.may_be_at_work:
            await calls.note({DELETING: ""})  # redriven, it is not its own doing
        raise
    return deleted


async def _path(work: Delete, api: Api, calls: Calls) -> str:
    if work.object != "issue":
        return f"{PATHS[work.object]}/{work.id}"
    meeting_id = work.meeting_id
    if meeting_id is None:
        meeting_id = (await api.read(f"issues/{work.id}", calls.permit)).origin_id
    if not meeting_id:
        raise Refused("no-meeting", f"issue {work.id}: expected its meeting in the answer, got none; name `meeting_id`")
    return f"L10/{meeting_id}/issues/{work.id}"
