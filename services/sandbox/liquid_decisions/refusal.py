"""Refusals: the status and the body of liquid_decisions.md §2 and §11. [assumed, the OAuth shape of RFC 6749]"""

from sandbox.http.messages import Response, as_json

_CHALLENGES = {"invalid_token": 'Bearer error="invalid_token"', "invalid_client": 'Basic realm="Liquid Decisions"'}


class Refusal(Exception):
    """Refused request: ``error`` is a word for programs, the description for people."""

    def __init__(self, description: str, *, error: str = "invalid_request", status: int = 400) -> None:
        super().__init__(description)
        self.error = error
        self.status = status

    def response(self) -> Response:
        challenge = (("www-authenticate", _CHALLENGES[self.error]),) if self.status == 401 else ()
        body = {"error": self.error, "error_description": str(self)}
        return as_json(body, status=self.status, headers=challenge)
