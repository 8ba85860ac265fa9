"""Settings of a Salesforce org, for both of its bulk APIs."""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from sluice.destinations.salesforce.login_settings import Login
from sluice.destinations.settings import DestinationSettings
from sluice.setting_types import Positive, Seconds

ApiName = Annotated[str, Meta(pattern=r"^[A-Za-z][A-Za-z0-9_]*$")]
"""The name of an object or of a field in Salesforce's API, such as Contact or Ext__c."""

FIRST_VERSION_OF_BULK2 = 41
"""salesforce_bulk.md §1 [docs]"""
FIRST_VERSION_OF_ASSIGNMENT_RULES = 49
"""In Bulk API 2.0. salesforce_bulk.md §4.1 [docs]"""


class SalesforceSettings(DestinationSettings, frozen=True, kw_only=True):
    """A Salesforce org. ``url`` is its My Domain address, such as https://acme.my.salesforce.com."""

    login: Login
    api_version: Annotated[
        str, Meta(pattern=r"^(3[1-9]|[4-9][0-9]|1[0-9][0-9])\.0$", description="Version of the API; 31.0 or later")
    ] = "59.0"
    """31.0 and later are served; the default is [assumed]. salesforce_bulk.md §1"""
    external_ids: Annotated[
        dict[ApiName, ApiName],
        Meta(description="External id field of an object, for upserts whose key is a text and names no field"),
    ] = msgspec.field(default_factory=dict)
    identifier_fields: Annotated[
        dict[ApiName, ApiName],
        Meta(
            description="External id field of an object that is ours: inserts write into it what their results are "
            "found by; Bulk API 2.0 takes no insert without one"
        ),
    ] = msgspec.field(default_factory=dict)
    empty_text: Annotated[
        Literal["clear", "keep"],
        Meta(description="An empty text in data: clear the field, as null does, or keep what it has"),
    ] = "clear"
    sort_by: Annotated[
        dict[ApiName, Annotated[str, Meta(min_length=1)]],
        Meta(
            description="Column of an object by which a batch is sorted, such as AccountId: records with one parent "
            "then stand together and do not lock each other out"
        ),
    ] = msgspec.field(default_factory=dict)
    assignment_rule_ids: Annotated[
        dict[ApiName, str], Meta(description="Assignment rule to run for an object: Case or Lead")
    ] = msgspec.field(default_factory=dict)
    hard_deletes: Annotated[
        tuple[ApiName, ...],
        Meta(description="Objects whose records are deleted for good: `sluice check` sees whether our user may"),
    ] = ()
    describe_age_s: Annotated[Seconds, Meta(description="Age at which an object's description is read again")] = 3600.0
    """[assumed]. salesforce_bulk.md §13 row 15"""


class Bulk1Settings(SalesforceSettings, frozen=True, kw_only=True, tag="salesforce_bulk1"):
    """An org that is written through Bulk API 1.0."""

    content_type: Annotated[Literal["CSV", "JSON", "XML"], Meta(description="Form of the records in a request")] = "CSV"
    concurrency: Annotated[
        Literal["Parallel", "Serial"],
        Meta(description="Serial makes Salesforce go through one batch of a job at a time, where locks are in the way"),
    ] = "Parallel"
    gzip: Annotated[bool, Meta(description="Compress requests")] = True
    max_open_s: Annotated[
        float, Meta(gt=0, le=82_800, description="Age at which a job is closed and another one opened")
    ] = 3600.0
    """A job may stay open for 24 h, salesforce_bulk.md §7 [docs]; an hour is left for its last batches."""
    max_batches_per_job: Annotated[Positive, Meta(description="Batches after which a job is closed")] = 100


class Bulk2Settings(SalesforceSettings, frozen=True, kw_only=True, tag="salesforce_bulk2"):
    """An org that is written through Bulk API 2.0.

    Raises ``ValueError`` for an ``api_version`` that has no Bulk API 2.0, or no assignment rules where some are set.
    """

    max_items_per_job: Annotated[
        int,
        Meta(
            ge=1,
            le=100_000,
            description="Most records of a job, which stay in memory until it is handed over; each 10,000 take one "
            "batch of the day's",
        ),
    ] = 20_000
    """[assumed]: a job takes four calls or more of the day's, whatever its size."""
    max_jobs: Annotated[Positive, Meta(description="Most jobs that may wait or run at once, of each writer")] = 100
    """[assumed]: of 2,000 that an org may have waiting, salesforce_bulk.md §7 [docs]"""

    def __post_init__(self) -> None:
        super().__post_init__()
        version = int(self.api_version.partition(".")[0])
        if version < FIRST_VERSION_OF_BULK2:
            raise ValueError(
                f"expected {FIRST_VERSION_OF_BULK2}.0 or later at `api_version`, got {self.api_version}: Bulk API 2.0 "
                "is newer; leave the setting out, or use salesforce_bulk1"
            )
        if self.assignment_rule_ids and version < FIRST_VERSION_OF_ASSIGNMENT_RULES:
            raise ValueError(
                f"expected {FIRST_VERSION_OF_ASSIGNMENT_RULES}.0 or later at `api_version`, got {self.api_version}: "
                "Bulk API 2.0 had no `assignment_rule_ids` before"
            )
