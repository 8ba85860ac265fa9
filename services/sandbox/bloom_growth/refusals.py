"""Error answers. bloom_growth.md §10: statuses [docs], bodies [assumed]; clients read neither."""

from sandbox.http.messages import Response, as_json

WEB_APPLICATION = Response(
    status=200,
    body=b"<!DOCTYPE html>\n<html><head><title>Bloom Growth</title></head><body><div id=app></div></body></html>\n",
    content_type="text/html; charset=utf-8",
)
"""Answer to a wrong path, in place of a 404. §10 [client:other]"""


class Refusal(Exception):
    """A call refused with ``status``. It changed nothing."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status

    def response(self) -> Response:
        return message(self.status, str(self))


def message(status: int, text: str, *headers: tuple[str, str]) -> Response:
    """Return an answer in the web framework's style: ``{"Message": "..."}``."""
    return as_json({"Message": text}, status=status, headers=headers)


def no_such(what: str, key: int) -> Refusal:
    """Return the 404 for an unknown id; a deleted one is unknown again. §10, §12"""
    return Refusal(404, f"There is no {what} {key}.")


UNAUTHORIZED = message(401, "Authorization has been denied for this request.", ("www-authenticate", "Bearer"))
"""Answer to a missing, unknown or expired token. §2 [docs], its body [assumed]"""
