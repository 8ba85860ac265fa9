"""Routes of Bulk API 2.0. salesforce_bulk.md §4.1, §4.2."""

from sandbox.http.routing import Route
from sandbox.salesforce import versions
from sandbox.salesforce.bulk2.ingest_calls import IngestCalls
from sandbox.salesforce.bulk2.ingest_job import IngestJob
from sandbox.salesforce.bulk2.ingest_results import IngestResults
from sandbox.salesforce.bulk2.job_handlers import job_handler, results_handler
from sandbox.salesforce.bulk2.listing import list_jobs
from sandbox.salesforce.bulk2.query_calls import QueryCalls
from sandbox.salesforce.bulk2.query_job import QueryJob
from sandbox.salesforce.org import Org
from sandbox.salesforce.rest import RestHandler, rest_handler

BASE = "/services/data/{version}/jobs"


def bulk2_routes(org: Org) -> list[Route]:
    return [*_ingest_routes(org), *_query_routes(org)]


def _ingest_routes(org: Org) -> list[Route]:
    calls, results = IngestCalls(org), IngestResults(org)
    jobs, job = f"{BASE}/ingest", f"{BASE}/ingest/{{job}}"

    def route(method: str, path: str, answer: RestHandler) -> Route:
        return Route(method, path, rest_handler(org, answer, oldest=versions.OLDEST_INGEST))

    return [
        route("POST", jobs, calls.create),
        route("GET", jobs, list_jobs(org, "ingest")),
        route("PUT", f"{job}/batches", job_handler(org, IngestJob, calls.upload)),
        route("PATCH", job, job_handler(org, IngestJob, calls.change)),
        route("GET", job, job_handler(org, IngestJob, calls.show)),
        route("DELETE", job, job_handler(org, IngestJob, calls.delete)),
        route("GET", f"{job}/successfulResults", results_handler(org, IngestJob, results.successful)),
        route("GET", f"{job}/failedResults", results_handler(org, IngestJob, results.failed)),
        route("GET", f"{job}/unprocessedrecords", results_handler(org, IngestJob, results.unprocessed)),
    ]


def _query_routes(org: Org) -> list[Route]:
    calls = QueryCalls(org)
    jobs, job = f"{BASE}/query", f"{BASE}/query/{{job}}"

    def route(method: str, path: str, answer: RestHandler, oldest: int = versions.OLDEST_QUERY) -> Route:
        return Route(method, path, rest_handler(org, answer, oldest=oldest))

    pages = results_handler(org, QueryJob, calls.result_pages)
    return [
        route("POST", jobs, calls.create),
        route("GET", jobs, list_jobs(org, "query")),
        route("GET", job, job_handler(org, QueryJob, calls.show)),
        route("PATCH", job, job_handler(org, QueryJob, calls.change)),
        route("DELETE", job, job_handler(org, QueryJob, calls.delete)),
        route("GET", f"{job}/results", results_handler(org, QueryJob, calls.results)),
        route("GET", f"{job}/resultPages", pages, versions.OLDEST_RESULT_PAGES),
    ]
