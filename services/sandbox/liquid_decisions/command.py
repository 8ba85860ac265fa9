"""``python -m sandbox liquid-decisions``: the communities of Liquid Decisions, served until it is stopped."""

from functools import partial

import click
import msgspec

from sandbox.liquid_decisions.settings import ItemType, Settings, User
from sandbox.liquid_decisions.vendor import LiquidDecisions
from sandbox.serving.command import Serving, serving_options, setting

_DEFAULTS = Settings()
_setting = partial(setting, _DEFAULTS)
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
@serving_options(Settings)
@_setting("--client-id", "client_id")
@_setting("--client-secret", "client_secret")
@click.option("--username", default=_USER.user_id, show_default=True)
@click.option("--password", default=_USER.password, show_default=True)
@click.option("--community", "allowed", multiple=True, help="Repeatable; ACME if none is given.")
@click.option("--forbidden-community", "forbidden", multiple=True, help="One that the user may not enter; repeatable.")
@click.option(
    "--item-type",
    "added_types",
    multiple=True,
    type=_ItemTypes(),
    metavar="[CATEGORY/]NAME=KEY[,KEY...]",
    help="Another item type and its key fields; repeatable.",
)
@_setting("--token-lifetime", "token_lifetime_s", "Seconds.")
@_setting("--refresh-token", "sends_refresh_token", "Send a refresh token, too.")
@_setting("--create-overrides", "create_overrides", "Create of a key that exists overrides the item.")
@_setting("--update-needs-item", "update_needs_item", "Update of an absent key is rejected.")
@_setting("--delete-needs-item", "delete_needs_item", "Delete of an absent key is rejected.")
@_setting("--identifier-field", "identifier_field", "Field that tells records apart in the ledger.")
@_setting("--count-without-rejected", "count_leaves_out_rejected", "An upsert's count leaves rejected items out.")
@_setting("--import-counts-refused", "import_counts_refused", "recordsProcessed includes refused records.")
@_setting("--bad-record-fails-job", "import_fails_on_bad_record", "A bad record in an import fails the job.")
@click.option("--no-links-in-reason", is_flag=True, help="Links of exports come by mail only.")
@_setting("--links-field", "links_field", "Field of a status that has the links of an export.")
@_setting("--links-origin", "links_origin", "Scheme and host of the links of exports, if not the sandbox's.")
@click.option("--header-in-first-file", is_flag=True, help="Only the first file of an export has the header row.")
@_setting("--records-per-file", "records_per_file", "Records of a file of an export.", least=1)
@click.option("--no-counts-in-reason", is_flag=True, help="The reason of a job has no counts.")
@_setting("--mails-each-status", "mails_each_status", "Each status of a job is mailed, not its end alone.")
@_setting("--max-updates-items", "max_updates_items", "Items of a page of updates at most.", least=1)
@_setting("--short-pages", "short_pages", "A max of updates beyond it gets fewer items, not a 400.")
@_setting("--late-commit", "late_commit_s", "Seconds until updates shows a write.")
@_setting("--slice-records", "slice_records", least=1)
@_setting("--queue-time", "queue_s", "Seconds until a job runs.")
@_setting("--slice-time", "slice_s", "Seconds for a slice of records.")
@_setting("--max-upsert-items", "max_upsert_items", "413 beyond it.", least=1)
@_setting("--max-upsert-bytes", "max_upsert_bytes", "413 beyond it.", least=1)
@_setting("--max-import-records", "max_import_records", "The job is Rejected beyond it.", least=1)
@_setting("--max-import-bytes", "max_import_bytes", "413 beyond it.", least=1)
@_setting("--sql-timeout", "sql_timeout_s", "Seconds for one query.")
@click.option(
    "--sql-memory", default=_DEFAULTS.sql_memory_bytes >> 20, show_default=True, help="MiB for items and queries."
)
def liquid_decisions(
    serving: Serving,
    settings: Settings,
    *,
    username: str,
    password: str,
    allowed: tuple[str, ...],
    forbidden: tuple[str, ...],
    added_types: tuple[ItemType, ...],
    no_links_in_reason: bool,
    header_in_first_file: bool,
    no_counts_in_reason: bool,
    sql_memory: int,
) -> None:
    """Serve a stand-in for the Liquid Decisions REST API."""
    allowed = allowed or settings.communities
    item_types = {one.name: one for one in (*settings.item_types, *added_types)}
    settings = msgspec.structs.replace(
        settings,
        users=(User(user_id=username, password=password, communities=allowed),),
        communities=(*allowed, *forbidden),
        item_types=tuple(item_types.values()),
        links_in_reason=not no_links_in_reason,
        header_in_each_file=not header_in_first_file,
        counts_in_reason=not no_counts_in_reason,
        sql_memory_bytes=sql_memory << 20,
    )
    credentials = {
        "client_id": settings.client_id,
        "client_secret": settings.client_secret,
        "username": username,
        "password": password,
        "community": allowed[0],
    }
    serving.run(LiquidDecisions(settings, ledger=serving.make_ledger()), credentials)
