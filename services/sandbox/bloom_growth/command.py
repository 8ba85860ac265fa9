"""Command ``python -m sandbox bloom-growth``: serve one tenant of Bloom Growth until it is stopped."""

from functools import partial

import click
import msgspec

from sandbox.bloom_growth.settings import Settings
from sandbox.bloom_growth.vendor import BloomGrowth
from sandbox.serving.command import Serving, serving_options, setting

_setting = partial(setting, Settings())
_ID = click.IntRange(1, 2**63 - 1)


@click.command("bloom-growth")
@serving_options(Settings)
@_setting("--user-name", "user_name", "Login of the first user.")
@_setting("--password", "password", "Everybody's.")
@_setting("--api-key", "api_key", "A token that is there from the start.")
@_setting("--token-lifetime", "token_lifetime_s", "Seconds.")
@_setting("--empty", "is_empty", "Only users and seats: no meetings and nothing in them.")
@_setting("--requests-per-second", "requests_per_second", "Of each token before 429; 0 switches the limit off.")
@_setting("--burst", "burst", "Requests at once before 429.")
@_setting("--retry-after", "retry_after_s", "Seconds to send with 429.")
@click.option("--ignore-for-id", is_flag=True, help="Strict: ForId does not name a new todo's owner.")
@click.option("--ignore-personal-owner", is_flag=True, help="Strict: a personal todo is the caller's.")
@_setting("--reassign-goals", "reassigns_goals", "Strict: an update without an owner makes the caller the owner.")
@_setting("--one-token-per-user", "has_one_token_per_user", "A login ends the user's older tokens, the API key too.")
@_setting("--normalize-titles", "normalizes_titles", "Titles are stored trimmed, each run of blanks as one.")
@_setting("--notes-url", "notes_url", "Base of DetailsUrl; by default /p at the host that was asked.")
@_setting("--pad-lag", "pad_lag_s", "Seconds until a pad shows its text.")
@click.option("--meeting-id", "meeting_ids", multiple=True, type=_ID, help="Of the first meeting, the second, ...")
@click.option("--user-id", "user_ids", multiple=True, type=_ID, help="Of the first user, the second, ...")
@_setting("--max-title", "max_title_chars", "Strict: characters of a title before 400.", least=1)
def bloom_growth(serving: Serving, settings: Settings, *, ignore_for_id: bool, ignore_personal_owner: bool) -> None:
    """Serve a stand-in for the Bloom Growth REST API v1."""
    settings = msgspec.structs.replace(
        settings,
        requests_per_second=settings.requests_per_second or None,
        binds_for_id=not ignore_for_id,
        binds_personal_owner=not ignore_personal_owner,
    )
    vendor = BloomGrowth(settings, ledger=serving.make_ledger())
    credentials = {"user_name": settings.user_name, "password": settings.password, "api_key": settings.api_key}
    serving.run(vendor, credentials)
