"""The two bulk APIs of Salesforce: the settings of their kinds, and the requests that faults are about."""

from typing import NamedTuple

from demo.processes import Sandbox
from demo.salesforce.baseball import CLUB, KEY


class BulkApi(NamedTuple):
    """One of them."""

    kind: str
    path: str
    """The beginning of the paths of all calls about a job."""
    start_method: str
    """The method of the call from which on a batch may run."""

    def destination(self, vendor: Sandbox) -> dict[str, object]:
        """Return the destination's entry in the settings file."""
        account = {
            "kind": self.kind,
            "url": vendor.url,
            "login": {
                "flow": "client_credentials",
                "client_id": vendor.client_id,
                "client_secret": vendor.client_secret,
            },
            "external_ids": {"Account": KEY, "Contact": KEY},
            "sort_by": {"Contact": CLUB},
        }
        if self.kind == "salesforce_bulk2":
            account["identifier_fields"] = {"Task": KEY}
        return {
            "to": account,
            # Jobs and outages last seconds here, not hours: close windows sooner, and ask more often.
            "window": {"max_age_s": 1.0, "max_items": 4_000},
            "delivery": {"backoff_cap_s": 1.0, "poll_base_s": 0.5, "poll_cap_s": 1.0},
        }


BULK_APIS = {
    "1.0": BulkApi("salesforce_bulk1", "/services/async/59.0/job/", "POST"),
    "2.0": BulkApi("salesforce_bulk2", "/services/data/v59.0/jobs/ingest/", "PATCH"),
}
"""By version."""
