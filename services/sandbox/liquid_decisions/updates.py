"""``POST /ls/api/items/updates``: changes since a point in the feed. liquid_decisions.md §5."""

from sandbox.http.messages import Request, Response, as_json
from sandbox.liquid_decisions.community import Community
from sandbox.liquid_decisions.forms import Form, read_form, required, whole_number
from sandbox.liquid_decisions.item import item_id, serial_of
from sandbox.liquid_decisions.refusal import Refusal

_LAST_MS = 2**53


def updates(request: Request, community: Community) -> Response:
    """Return a page of items by (``processedAt``, ``h_id``); deleted items do not appear. [assumed]

    An empty page repeats the request's values, so that a loop can go on. [client], [assumed]
    """
    form = read_form(request)
    table = community.table(required(form, "itemType"))
    after_ms = whole_number(form, "processedAfter", default=0, least=0, most=_LAST_MS)
    settings = community.settings
    ceiling = settings.max_updates_items
    most = _LAST_MS if settings.short_pages else ceiling
    count = min(ceiling, whole_number(form, "max", default=min(settings.updates_items, ceiling), least=1, most=most))
    rows = table.changes(after_ms, _serial(form), count, community.database.now_ms())
    answer = {"items": [table.as_item(row) for row in rows]}
    if rows:
        last = rows[-1]
        return as_json({**answer, "maxProcessedAt": last.processed_ms, "lastId": item_id(last.serial)})
    return as_json({**answer, "maxProcessedAt": after_ms, "lastId": form.get("lastId")})


def _serial(form: Form) -> int | None:
    if "lastId" not in form:
        return None
    serial = serial_of(form["lastId"])
    if serial is None:
        raise Refusal(f"lastId: expected the h_id of an item, got {form['lastId'][:40]!r}")
    return serial
