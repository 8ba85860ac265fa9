"""Settings that every destination kind has."""

from typing import Annotated

import msgspec
from msgspec import Meta

from sluice.setting_types import Seconds, SecondsOrZero


class DestinationSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="kind"):
    """Settings that every kind has. A kind adds its own fields and its tag.

    Raises ``ValueError`` for a ``url`` that nothing can be sent to.
    """

    url: Annotated[str, Meta(pattern=r"^https?://[^/]+", description="Base address of the vendor's API")]
    timeout_s: Annotated[Seconds, Meta(description="Longest wait for one answer")] = 60.0
    settle_s: Annotated[
        SecondsOrZero, Meta(description="Longest time for which the vendor may work on a request whose answer is lost")
    ] = 30.0
    """[assumed]: BlueConic's own client gives a request up after 30 s, blueconic.md §6 [client]; nobody else says."""
    read_lag_s: Annotated[SecondsOrZero, Meta(description="Longest time by which reads at the vendor lag writes")] = (
        30.0
    )
    """[assumed]: no vendor publishes it."""
    own_answer_header: (
        Annotated[
            str,
            Meta(
                pattern=r"^[!#$%&'*+.^_`|~0-9A-Za-z-]+(:.*)?$",
                description="Header that only the vendor's own answers have, as `name` or `name: value`; if left out, "
                "JSON and the shape of its errors tell them from a proxy's",
            ),
        ]
        | None
    ) = None

    def __post_init__(self) -> None:
        import httpx  # only here, so that who publishes or consumes does not load it

        try:
            url = httpx.URL(self.url)
        except httpx.InvalidURL as error:
            raise ValueError(f"expected an address such as https://acme.example.com at `url`, got {error}") from error
        if url.userinfo:
            raise ValueError("expected no user or password at `url`: they would stand in logs; remove them")
        if not url.host or "%" in url.host or not (url.port is None or 0 < url.port < 65_536):
            raise ValueError(f"expected an address such as https://acme.example.com at `url`, got {self.url!r}")
