"""Settings of a Bloom Growth user, in whose name all is written."""

from typing import Annotated, Literal

from msgspec import Meta

from sluice.destinations.bloom_growth.assumptions import FRESH_FOR_S, SETTLE_S
from sluice.destinations.settings import DestinationSettings
from sluice.setting_types import Seconds, SecondsOrZero, Secret

MAX_CONCURRENT = 20
"""Calls at once that may hit the vendor's limits. §11 [docs:guide]"""


class BloomGrowthSettings(DestinationSettings, frozen=True, kw_only=True, tag="bloom_growth"):
    """A Bloom Growth user. ``url`` is the service's address, https://app.bloomgrowth.com.

    Raises ``ValueError`` without exactly one of ``password`` and ``api_key``.
    """

    user_name: Annotated[str, Meta(description="Login of the user, an e-mail address; with `password`")] = ""
    password: Secret | None = None
    api_key: Annotated[
        Secret | None,
        Meta(description="Access token, in place of `user_name` and `password`; it ends after two weeks"),
    ] = None
    token_path: Annotated[
        str | None,
        Meta(
            description="File in which the token is kept, so that a restart needs no login; writers of one machine may "
            "share it"
        ),
    ] = None
    fresh_token_s: Annotated[
        SecondsOrZero,
        Meta(
            description="Age up to which a refused token counts as ended by another process's login; the second one in "
            "a row stops logins for 15 minutes; 0: none does"
        ),
    ] = FRESH_FOR_S
    max_concurrent: Annotated[
        int, Meta(ge=1, le=MAX_CONCURRENT, description="Calls at once of each writer; past 10 expect 429s")
    ] = 5
    """§11 [docs:guide]: 5 by default, 20 at most."""
    namesakes: Annotated[
        Literal["possible", "none"],
        Meta(
            description="`none`: publishers never have two creates of one meeting and title under way at once, so that "
            "a namesake found after a lost answer is ours whatever the message key"
        ),
    ] = "possible"
    marker: Annotated[
        Literal["none", "notes"],
        Meta(
            description="`notes`: end the notes of a new issue, todo or headline with its event's id, by which it is "
            "found after a lost answer"
        ),
    ] = "none"
    timeout_s: Annotated[Seconds, Meta(description="Longest wait for one answer")] = 30.0
    """§1 [client]"""
    settle_s: Annotated[
        SecondsOrZero, Meta(description="Longest time for which the vendor may work on a request whose answer is lost")
    ] = SETTLE_S
    read_lag_s: Annotated[SecondsOrZero, Meta(description="Longest time by which reads at the vendor lag writes")] = 0.0
    """[assumed]: only notes lag, by 1–2 s, §15 [docs]; ``settle_s`` has 5 s to spare."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if (self.password is None) == (self.api_key is None):
            raise ValueError("expected either `user_name` and `password`, or `api_key`")
        if (self.password is None) != (not self.user_name):
            raise ValueError("expected `user_name` and `password` together; complete them or leave both out")
        if self.token_path is not None and self.password is None:
            raise ValueError("expected no `token_path` beside `api_key`, which is the token; leave it out")

    @property
    def host(self) -> str:
        """The address without the API's path."""
        return self.url.rstrip("/").removesuffix("/api/v1")
