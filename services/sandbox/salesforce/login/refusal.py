"""OAuth errors: HTTP 400, ``error`` and ``error_description``. salesforce_bulk.md §2.3."""

from typing import Literal

from sandbox.http.messages import Response, as_json

OAuthError = Literal[
    "invalid_grant", "invalid_client_id", "invalid_client", "invalid_request", "unsupported_grant_type"
]


class OAuthRefusal(Exception):
    """Refused token request."""

    def __init__(self, error: OAuthError, description: str) -> None:
        super().__init__(description)
        self.error = error

    def response(self) -> Response:
        return as_json({"error": self.error, "error_description": str(self)}, status=400)
