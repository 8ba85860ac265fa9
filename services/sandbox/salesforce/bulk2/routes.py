"""Routes of Bulk API 2.0. salesforce_bulk.md §4.1, §4.2."""

from sandbox.http.routing import Route
from sandbox.salesforce.bulk2.ingest_calls import IngestCalls
from sandbox.salesforce.bulk2.ingest_job import IngestJob
from sandbox.salesforce.bulk2.ingest_results import IngestResults
from sandbox.salesforce.bulk2.job_handlers import job_handler, results_handler
from sandbox.salesforce.bulk2.listing import list_jobs
from sandbox.salesforce.bulk2.query_calls import QueryCalls
from sandbox.salesforce.bulk2.query_job import QueryJob
from sandbox.salesforce.org import Org
from sandbox.salesforce.rest import RestHandler, rest_handler
from sandbox.salesforce.versions import OLDEST_INGEST, OLDEST_QUERY, OLDEST_RESULT_PAGES

BASE = "/services/data/{version}/jobs"


def bulk2_routes(org: Org) -> list[Route]:
    """Return a route for every call, with the first version that has it."""
    ingest, results, query = IngestCalls(org), IngestResults(org), QueryCalls(org)
    jobs, job = f"{BASE}/ingest", f"{BASE}/ingest/{{job}}"
    queries, query_job = f"{BASE}/query", f"{BASE}/query/{{job}}"
    calls: list[tuple[int, str, str, RestHandler]] = [
        (OLDEST_INGEST, "POST", jobs, ingest.create),
        (OLDEST_INGEST, "GET", jobs, list_jobs(org, "ingest")),
        (OLDEST_INGEST, "PUT", f"{job}/batches", job_handler(org, IngestJob, ingest.upload)),
        (OLDEST_INGEST, "PATCH", job, job_handler(org, IngestJob, ingest.change)),
        (OLDEST_INGEST, "GET", job, job_handler(org, IngestJob, ingest.show)),
        (OLDEST_INGEST, "DELETE", job, job_handler(org, IngestJob, ingest.delete)),
        (OLDEST_INGEST, "GET", f"{job}/successfulResults", results_handler(org, IngestJob, results.successful)),
        (OLDEST_INGEST, "GET", f"{job}/failedResults", results_handler(org, IngestJob, results.failed)),
        (OLDEST_INGEST, "GET", f"{job}/unprocessedrecords", results_handler(org, IngestJob, results.unprocessed)),
        (OLDEST_QUERY, "POST", queries, query.create),
        (OLDEST_QUERY, "GET", queries, list_jobs(org, "query")),
        (OLDEST_QUERY, "GET", query_job, job_handler(org, QueryJob, query.show)),
        (OLDEST_QUERY, "PATCH", query_job, job_handler(org, QueryJob, query.change)),
        (OLDEST_QUERY, "DELETE", query_job, job_handler(org, QueryJob, query.delete)),
        (OLDEST_QUERY, "GET", f"{query_job}/results", results_handler(org, QueryJob, query.results)),
        (OLDEST_RESULT_PAGES, "GET", f"{query_job}/resultPages", results_handler(org, QueryJob, query.result_pages)),
    ]
    return [Route(method, path, rest_handler(org, answer, oldest=oldest)) for oldest, method, path, answer in calls]
