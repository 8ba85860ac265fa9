"""``python -m sandbox liquid-decisions``: the communities of Liquid Decisions, served until it is stopped."""

import click

from sandbox.liquid_decisions.settings import ItemType, Settings, User
from sandbox.liquid_decisions.vendor import LiquidDecisions
from sandbox.serving.command import Serving, serving_options

_DEFAULTS = Settings()
_USER = User()
_CATEGORIES = ("entity", "work", "dimension", "system")


class _ItemTypes(click.ParamType):
    name = "type"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> ItemType:
        category, _, rest = value.rpartition("/")
        name, _, keys = rest.partition("=")
        key_fields = tuple(keys.split(","))
        if not name or not all(key_fields) or category not in ("", *_CATEGORIES):
            self.fail(f"expected [CATEGORY/]NAME=KEY[,KEY...], got {value!r}", param, ctx)
        return ItemType(name=name, key_fields=key_fields, category=category or "entity")  # type: ignore[arg-type]


@click.command()
@serving_options
@click.option("--client-id", default=_DEFAULTS.client_id, show_default=True)
@click.option("--client-secret", default=_DEFAULTS.client_secret, show_default=True)
@click.option("--username", default=_USER.user_id, show_default=True)
@click.option("--password", default=_USER.password, show_default=True)
@click.option("--community", "communities", multiple=True, help="Repeatable; ACME if none is given.")
@click.option("--forbidden-community", "forbidden", multiple=True, help="One that the user may not enter; repeatable.")
@click.option(
    "--item-type",
    "item_types",
    multiple=True,
    type=_ItemTypes(),
    metavar="[CATEGORY/]NAME=KEY[,KEY...]",
    help="Another item type and its key fields; repeatable.",
)
@click.option("--token-lifetime", default=_DEFAULTS.token_lifetime_s, show_default=True, help="Seconds.")
@click.option("--refresh-token", is_flag=True, help="Send a refresh token, too.")
@click.option("--create-overrides", is_flag=True, help="Create of a key that exists overrides the item.")
@click.option("--update-needs-item", is_flag=True, help="Update of an absent key is rejected.")
@click.option("--delete-needs-item", is_flag=True, help="Delete of an absent key is rejected.")
@click.option("--count-without-rejected", is_flag=True, help="An upsert's count leaves rejected items out.")
@click.option("--import-counts-refused", is_flag=True, help="recordsProcessed includes refused records.")
@click.option("--bad-record-fails-job", is_flag=True, help="A bad record in an import fails the job.")
@click.option("--no-links-in-reason", is_flag=True, help="Links of exports come by mail only.")
@click.option("--slice-records", type=click.IntRange(1), default=_DEFAULTS.slice_records, show_default=True)
@click.option("--queue-time", default=_DEFAULTS.queue_s, show_default=True, help="Seconds until a job runs.")
@click.option("--slice-time", default=_DEFAULTS.slice_s, show_default=True, help="Seconds for a slice of records.")
@click.option("--max-upsert-items", type=click.IntRange(1), help="413 beyond it.")
@click.option("--max-upsert-bytes", type=click.IntRange(1), help="413 beyond it.")
@click.option("--max-import-records", type=click.IntRange(1), help="The job is Rejected beyond it.")
@click.option("--max-import-bytes", type=click.IntRange(1), help="413 beyond it.")
@click.option("--sql-timeout", default=_DEFAULTS.sql_timeout_s, show_default=True, help="Seconds for one query.")
@click.option(
    "--sql-memory", default=_DEFAULTS.sql_memory_bytes >> 20, show_default=True, help="MiB for items and queries."
)
def liquid_decisions(
    serving: Serving,
    *,
    client_id: str,
    client_secret: str,
    username: str,
    password: str,
    communities: tuple[str, ...],
    forbidden: tuple[str, ...],
    item_types: tuple[ItemType, ...],
    token_lifetime: int,
    refresh_token: bool,
    create_overrides: bool,
    update_needs_item: bool,
    delete_needs_item: bool,
    count_without_rejected: bool,
    import_counts_refused: bool,
    bad_record_fails_job: bool,
    no_links_in_reason: bool,
    slice_records: int,
    queue_time: float,
    slice_time: float,
    max_upsert_items: int | None,
    max_upsert_bytes: int | None,
    max_import_records: int | None,
    max_import_bytes: int | None,
    sql_timeout: float,
    sql_memory: int,
) -> None:
    """Serve a stand-in for the Liquid Decisions REST API."""
    allowed = communities or _DEFAULTS.communities
    added = {one.name: one for one in (*_DEFAULTS.item_types, *item_types)}
    settings = Settings(
        client_id=client_id,
        client_secret=client_secret,
        users=(User(user_id=username, password=password, communities=allowed),),
        communities=(*allowed, *forbidden),
        item_types=tuple(added.values()),
        token_lifetime_s=token_lifetime,
        sends_refresh_token=refresh_token,
        create_overrides=create_overrides,
        update_needs_item=update_needs_item,
        delete_needs_item=delete_needs_item,
        count_leaves_out_rejected=count_without_rejected,
        import_counts_refused=import_counts_refused,
        import_fails_on_bad_record=bad_record_fails_job,
        links_in_reason=not no_links_in_reason,
        slice_records=slice_records,
        queue_s=queue_time,
        slice_s=slice_time,
        max_upsert_items=max_upsert_items,
        max_upsert_bytes=max_upsert_bytes,
        max_import_records=max_import_records,
        max_import_bytes=max_import_bytes,
        sql_timeout_s=sql_timeout,
        sql_memory_bytes=sql_memory << 20,
    )
    credentials = {
        "client_id": client_id,
        "client_secret": client_secret,
        "username": username,
        "password": password,
        "community": allowed[0],
    }
    serving.run(LiquidDecisions(settings, ledger=serving.make_ledger()), credentials)
