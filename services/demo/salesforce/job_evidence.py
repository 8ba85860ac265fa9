"""The vendor jobs of a run, and what they took of the org's budgets."""

from collections.abc import Mapping

from demo.evidence import Evidence
from demo.job_logs import print_job_logs
from demo.screen import Screen


def print_jobs(screen: Screen, evidence: Evidence, used: Mapping[str, int], calls: Mapping[str, int]) -> None:
    """Print them. ``used`` and ``calls`` are the vendor's own counts of budgets, and of calls by API."""
    print_job_logs(screen, evidence.logs, vendor="Salesforce")
    refused = sum(count for request, count in evidence.ledger.requests.items() if request.endswith(" 503"))
    screen.print(f"the outage: {refused} questions were answered with 503, by the vendor's count")
    screen.print(
        f"the day's budgets, by the vendor's count: {used['batches']:,} batches and {used['api_requests']:,} API calls "
        f"for {evidence.records:,} records; calls by API, with those that were refused: "
        + ", ".join(f"{name} {count:,}" for name, count in sorted(calls.items()))
    )
