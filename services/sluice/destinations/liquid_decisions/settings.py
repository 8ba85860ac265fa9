"""Settings of a community at Liquid Decisions."""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from sluice.destinations.liquid_decisions.assumed import MAX_IMPORT_ITEMS
from sluice.destinations.settings import DestinationSettings
from sluice.setting_types import Frozen, Positive, Seconds, SecondsOrZero, Secret

FieldName = Annotated[str, Meta(pattern=r"^[^\W\d]\w*$")]
"""A field that is a column in SQL, too."""
NO_SECRET: Secret = msgspec.field(default_factory=lambda: Secret(""))
"""A default that stays out of the schema of the settings file, which has no form for secrets."""


class ItemType(Frozen, frozen=True):
    """An item type of the community's schema, which no call reveals. §3"""

    key_fields: Annotated[
        tuple[FieldName, ...], Meta(min_length=1, description="Fields in data that are the type's primary key")
    ]
    category: Annotated[
        str, Meta(pattern=r"^\w+$", description="Category of the type: entity, work, dimension or system")
    ] = "entity"
    write: Annotated[
        Literal["upsert", "import", "auto"],
        Meta(
            description="upsert: at once, and each record gets its own answer. import: as jobs, which say nothing of "
            "single records, so they are looked up afterwards. auto: as a job from `import_from` records on. Inserts, "
            "deletes and retries are always upserted"
        ),
    ] = "upsert"
    import_from: Annotated[Positive, Meta(description="Records in a batch from which on `auto` makes it a job")] = (
        10_000
    )
    merge: Annotated[
        bool,
        Meta(description="true: set the given fields and keep the rest. false: an update replaces the whole item"),
    ] = True
    table: (
        Annotated[
            str,
            Meta(
                pattern=r"^\w+(\.\w+)?$",
                description="Table of the type in SQL; if left out <community>_<category>_<type>, the community in "
                "lower case",
            ),
        ]
        | None
    ) = None


class LiquidDecisionsSettings(DestinationSettings, frozen=True, kw_only=True, tag="liquid_decisions"):
    """A community. ``url`` is the service's address, such as https://ldcloud.liquidanalytics.com."""

    username: Annotated[str, Meta(min_length=1, description="The user id, usually an e-mail address")]
    password: Secret
    community: Annotated[str, Meta(pattern=r"^\S+$", description="Name of the community that is written")]
    types: Annotated[
        dict[Annotated[str, Meta(pattern=r"^\w+$")], ItemType],
        Meta(min_length=1, description="Item types that may be written, by name; a record's object is one of them"),
    ]
    client_id: Annotated[str, Meta(description="OAuth client; leave it out where the service asks for none")] = ""
    client_secret: Secret = NO_SECRET
    community_by: Annotated[
        Literal["scope", "setCommunity"],
        Meta(description="Name the community in the scope of the token, or bind it by a call of its own afterwards"),
    ] = "scope"
    verify: Annotated[
        Literal["always", "on_mismatch", "never"],
        Meta(
            description="How an import's records are found to be there. always: each is looked up in the feed of "
            "changes. on_mismatch: only where the job's count is not that of its records; records that the vendor has "
            "refused and counted all the same are then told as delivered, and lost. never: nothing is looked up; they "
            "are lost likewise, and a job with another count is upserted whole"
        ),
    ] = "always"
    foreign_writes: Annotated[
        Literal["possible", "none"],
        Meta(
            description="Whether somebody else writes to these items. possible: a record that differs after its import "
            "is ambiguous. none: it is upserted again where types merge, which overwrites what somebody else has "
            "written after all"
        ),
    ] = "possible"
    lost_after_s: Annotated[
        Seconds | None,
        Meta(
            description="Time after which an import whose submit got no answer is taken for dead. If it runs later all "
            "the same, it overwrites newer values. If left out, its records wait until its effect is seen on all of "
            "them, or a person says `sluice vendor-jobs forget`"
        ),
    ] = None
    notification_email: Annotated[
        str | None, Meta(description="Address to which the vendor writes about each import job")
    ] = None
    max_items_per_import: Annotated[
        int, Meta(ge=1, le=MAX_IMPORT_ITEMS, description="Most records of an import; they stay in memory until then")
    ] = MAX_IMPORT_ITEMS
    max_jobs: Annotated[Positive, Meta(description="Most import jobs that may wait or run at once, of each writer")] = 4
    """§12 has one for each item type, because two have no order; here records of one key are never in two jobs."""
    updates_page: Annotated[Positive, Meta(description="Items on a page of the feed of changes")] = 1000
    """[assumed] §5; §15 has its figures with pages of that size."""
    timeout_s: Annotated[Seconds, Meta(description="Longest wait for one answer")] = 120.0
    """§12 [client:node]"""
    import_timeout_s: Annotated[Seconds, Meta(description="Longest wait for the answer to an import's upload")] = 600.0
    """§12 [assumed]"""
    settle_s: Annotated[
        SecondsOrZero, Meta(description="Longest time for which the vendor may work on a request whose answer is lost")
    ] = 120.0
    """[assumed]: the vendor's own client waits so long, §12 [client:node]; nobody else says."""
