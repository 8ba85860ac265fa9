"""Command ``python -m sandbox bloom-growth``: serve one tenant of Bloom Growth until it is stopped."""

import click

from sandbox.bloom_growth.settings import Settings
from sandbox.bloom_growth.vendor import BloomGrowth
from sandbox.serving.command import Serving, serving_options

_DEFAULTS = Settings()


@click.command("bloom-growth")
@serving_options
@click.option("--user-name", default=_DEFAULTS.user_name, show_default=True, help="Login of the first user.")
@click.option("--password", default=_DEFAULTS.password, show_default=True, help="Everybody's.")
@click.option("--api-key", default=_DEFAULTS.api_key, show_default=True, help="A token that is there from the start.")
@click.option("--token-lifetime", default=_DEFAULTS.token_lifetime_s, show_default=True, help="Seconds.")
@click.option("--empty", is_flag=True, help="Only users and seats: no meetings and nothing in them.")
@click.option(
    "--requests-per-second",
    default=_DEFAULTS.requests_per_second,
    show_default=True,
    help="Of each token before 429; 0 switches the limit off.",
)
@click.option("--burst", default=_DEFAULTS.burst, show_default=True, help="Requests at once before 429.")
@click.option("--retry-after", default=_DEFAULTS.retry_after_s, show_default=True, help="Seconds to send with 429.")
@click.option("--ignore-for-id", is_flag=True, help="Strict: ForId does not name a new todo's owner.")
@click.option("--ignore-personal-owner", is_flag=True, help="Strict: a personal todo is the caller's.")
@click.option("--reassign-goals", is_flag=True, help="Strict: an update without an owner makes the caller the owner.")
@click.option("--max-title", type=click.IntRange(1), help="Strict: characters of a title before 400.")
def bloom_growth(
    serving: Serving,
    *,
    user_name: str,
    password: str,
    api_key: str,
    token_lifetime: int,
    empty: bool,
    requests_per_second: float,
    burst: int,
    retry_after: int,
    ignore_for_id: bool,
    ignore_personal_owner: bool,
    reassign_goals: bool,
    max_title: int | None,
) -> None:
    """Serve a stand-in for the Bloom Growth REST API v1."""
    settings = Settings(
        user_name=user_name,
        password=password,
        api_key=api_key,
        token_lifetime_s=token_lifetime,
        is_empty=empty,
        requests_per_second=requests_per_second or None,
        burst=burst,
        retry_after_s=retry_after,
        binds_for_id=not ignore_for_id,
        binds_personal_owner=not ignore_personal_owner,
        reassigns_goals=reassign_goals,
        max_title_chars=max_title,
    )
    vendor = BloomGrowth(settings, ledger=serving.make_ledger())
    serving.run(vendor, {"user_name": user_name, "password": password, "api_key": api_key})
