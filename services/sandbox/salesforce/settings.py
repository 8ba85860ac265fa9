"""Settings of an org, and every choice that the wire document leaves open or marks [assumed].

A choice that a user may know better is a setting. The others are made here:

- External ids and other unique values are compared without case everywhere, also in ``WHERE``, unless their field is
  ``case_sensitive`` (§13.10 [docs]); other texts in ``WHERE`` are matched exactly.
- An ``Id`` beside an external id in an upsert is refused (§13.12) for its row; an empty one does no harm.
- When an upsert key stands in a batch twice, all its rows are refused, and none of them is written.
- A row with fewer values than the header has columns leaves the last ones as they are; one with more fails the batch.
- A record keeps its id; a deleted one stays until it is hard-deleted and is found by ``queryAll`` only.
- Rows of 2.0 are written when their internal batch of 10,000 is done, the batches spread evenly over ``InProgress``.
- Abort keeps the rows written by then and leaves the others as unprocessed records.
- A query reads when its ``InProgress`` ends, so its result does not change afterwards.
- Refused SOQL of a 2.0 query is a 400 ``API_ERROR`` at once.
- The REST query call, which the wire document does not name: ``GET /services/data/vNN.0/query?q=SOQL`` and
  ``queryAll``, in the shape its public clients read: ``totalSize``, ``done``, ``nextRecordsUrl``, ``records`` with
  ``attributes``; ``COUNT()`` has a ``totalSize`` and no records. Refused SOQL is a 400 with a code for the reason:
  ``MALFORMED_QUERY``, ``INVALID_FIELD``, ``INVALID_TYPE``, ``INVALID_QUERY_FILTER_OPERATOR``,
  ``NUMBER_OUTSIDE_VALID_RANGE``; a page of an ended query, or of another user's, is a 400 ``INVALID_QUERY_LOCATOR``.
"""

import msgspec

from sandbox.salesforce import ids
from sandbox.salesforce.default_objects import DEFAULT_OBJECTS
from sandbox.salesforce.objects import ObjectType


class User(msgspec.Struct, frozen=True, kw_only=True):
    """User who may log in. §2.1"""

    username: str
    password: str
    security_token: str = ""
    full_name: str = "Bulk Loader"
    may_hard_delete: bool = True
    """True with the "Bulk API Hard Delete" permission. §12 [docs]"""
    may_administer: bool = False
    """True for a user who may abort and delete the jobs of others. §3.4, §4.1"""
    password_expired: bool = False
    """True when a session is only good for setting a new password. §2.1 [docs]"""


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """One org."""

    users: tuple[User, ...] = (
        User(username="loader@example.com", password="loader-password", security_token="TOKEN"),
        User(
            username="admin@example.com",
            password="admin-password",
            security_token="TOKEN",
            full_name="Ada Admin",
            may_administer=True,
        ),
        User(
            username="limited@example.com",
            password="limited-password",
            security_token="TOKEN",
            full_name="Lim Ited",
            may_hard_delete=False,
        ),
    )
    client_id: str = "sandbox-consumer-key"
    client_secret: str = "sandbox-consumer-secret"
    client_user: str = "loader@example.com"
    """User of the client-credentials flow. §2.3 [docs]"""
    jwt_public_key: str = ""
    """PEM of the key that signs the assertions of the JWT bearer flow; without it every assertion is refused."""
    allow_password_flow: bool = True
    """Off by default in new orgs (§2.3 [docs]); on here, because clients still use it. [assumed]"""
    allow_soap_login: bool = True
    """Off by default in orgs made from Winter '26 on (§1 [docs]); on here, because clients still use it. [assumed]"""
    trusted_network: bool = False
    """True when a password is accepted without the security token. §2.1 [docs]"""

    organization_name: str = "Acme"
    instance_url: str = ""
    """Instance that login answers name; empty: the address in the client's ``Host`` header."""
    is_sandbox: bool = False
    objects: tuple[ObjectType, ...] = DEFAULT_OBJECTS
    identifier_field: str = ""
    """Column whose value the ledger keeps as the entry's identifier; empty for none."""

    session_lifetime_s: int = 7200
    """Seconds of inactivity. §2.2 [docs]"""
    max_logins_per_hour: int = 3600
    """Logins of one user. §2.1 [assumed]"""
    max_wrong_passwords: int = 10
    lockout_s: int = 900
    """Wrong passwords in a row until the user is locked out, and for how long. [assumed: the platform's defaults]"""

    bulk_enabled: bool = True
    """False: every call of Bulk API 1.0 is a ``FeatureNotEnabled``. §3.11 [docs]"""
    https_required: bool = False
    """True: requests that no proxy marks as HTTPS (``X-Forwarded-Proto``) are refused as ``HttpsRequired``. §3.11;
    false, because the sandbox speaks plain HTTP
    """
    deprecated_below: int = 0
    """Versions below it get a ``Warning`` header; §3.1 names none [assumed]"""

    daily_api_requests: int = 1_000_000
    """§3.1 names no figure [assumed]"""
    daily_batches: int = 15_000
    daily_records: int = 150_000_000
    daily_query_jobs: int = 10_000
    """§7 [docs]"""
    max_upload_bytes: int = 150_000_000
    """Bytes of one 2.0 job after base64 growth; 100 MB of CSV. §7 [docs]"""
    max_multipart_characters: int = 100_000
    """§4.1 [docs]"""
    internal_batch_rows: int = 10_000
    """§4.1 [docs]"""
    job_retention_s: int = 7 * 86_400
    job_open_s: int = 86_400
    """§7 [docs]"""
    max_kept_jobs: int = 100_000
    """Jobs kept; beyond it the oldest finished ones are dropped, so that memory stays bounded. [assumed]"""
    max_kept_job_bytes: int = 1 << 30
    """Packed data and results of 2.0 jobs; beyond it the oldest finished jobs are dropped. [assumed]"""

    queued_s: float = 0.0
    in_progress_s: float = 0.0
    """Seconds of each phase of a batch or job: so short that the first poll sees the end. §9 [assumed]"""
    rows_at_once: int = 100_000
    row_s: float = 20e-6
    """Seconds that each further row of a 2.0 job adds to ``InProgress``, so that no single call does the work of a
    million rows. It is about what a row costs. [assumed]
    """
    shuffle_results: bool = True
    """True: 2.0 results come in another order than the upload. §4.1 [docs]"""
    max_query_page_rows: int = 50_000
    """Rows of a 2.0 result page when ``maxRecords`` is not given or larger. [assumed]"""

    rest_page_rows: int = 2000
    """Records of a page of the REST query call. [assumed: its usual figure]"""
    max_query_offset: int = 2000
    """[assumed: SOQL's usual figure]"""
    max_query_cursors: int = 10
    query_cursor_s: int = 2 * 86_400
    """Open queries of more than a page per user, and how long each stays open. [assumed: the platform's figures]"""

    @property
    def org_id(self) -> str:
        return ids.make(ids.ORG, 1)
