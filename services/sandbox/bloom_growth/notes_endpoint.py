"""The endpoint ``GET /_sandbox/notes/{id}``: an object's notes, which the vendor's own API never shows.

bloom_growth.md §4: notes are never echoed. A test that must know whether they arrived asks here.
"""

from sandbox.bloom_growth.tenant import Tenant
from sandbox.http.messages import Handler, Request, Response, as_json


def notes_endpoint(tenant: Tenant) -> Handler:
    """Make the handler that returns the notes of issues, todos and headlines by the object's id."""

    def read(request: Request) -> Response:
        text = request.params["id"]
        key = int(text) if text.isascii() and text.isdigit() and len(text) < 19 else 0
        row = tenant.issues.get(key) or tenant.todos.get(key) or tenant.headlines.get(key)
        if row is None:
            return as_json({"error": f"expected the id of an issue, todo or headline; came {text[:100]}"}, status=404)
        return as_json({"notes": row.notes, "details_url": tenant.pad_url(row.pad)})

    return read
