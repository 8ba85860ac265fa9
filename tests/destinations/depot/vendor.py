"""The stand-in for Depot."""

from collections.abc import Callable, Sequence
from typing import Literal

import msgspec

from sandbox.http.messages import Request, Response, as_json
from sandbox.http.routing import Route
from sandbox.vendor import Vendor

KEY = "Key depot-secret"
JOBS_A_DAY = 10_000
MAX_LINE_BYTES = 300


class Job(msgspec.Struct):
    """One job, with what became of its rows."""

    id: str
    state: Literal["open", "waiting", "done", "aborted"] = "open"
    body: bytes = b""
    due_at: float = 0.0
    results: list[dict[str, object]] = []

    @property
    def info(self) -> dict[str, object]:
        failed = sum("error" in result for result in self.results)
        return {"id": self.id, "state": self.state, "processed": sum(map(bool, self.results)), "failed": failed}


class Depot(Vendor):
    """A depot that stores parcels by name, and counts every time that one is stored."""

    name = "depot"

    def __init__(self, run_s: float = 0.2) -> None:
        """Run a job ``run_s`` after its start, unless jobs are held."""
        super().__init__()
        self._run_s = run_s
        self.is_held = False
        self.reset()
        self.routes = [
            Route("POST", "/jobs", self._create),
            Route("GET", "/jobs", lambda request: self._answer(request, lambda _: as_json(self.infos))),
            Route("PUT", "/jobs/{id}/rows", lambda request: self._answer(request, self._put)),
            Route("GET", "/jobs/{id}/rows", lambda request: self._answer(request, lambda job: _text(job.body))),
            Route("POST", "/jobs/{id}/start", lambda request: self._answer(request, self._start)),
            Route("POST", "/jobs/{id}/abort", lambda request: self._answer(request, self.abort)),
            Route("GET", "/jobs/{id}/results", lambda request: self._answer(request, _results)),
        ]

    def reset(self) -> None:
        self.jobs: dict[str, Job] = {}
        self.stored: list[tuple[str, object]] = []
        """Every storing of a parcel, in its order: its name and its value."""

    @property
    def infos(self) -> Sequence[dict[str, object]]:
        return [job.info for job in self.jobs.values()]

    def catch_up(self) -> None:
        for job in self.jobs.values():
            if job.state == "waiting" and not self.is_held and self.clock.now() >= job.due_at:
                self._run(job)

    def abort(self, job: Job, after: int = 0) -> Response:
        """End ``job`` after so many of its rows."""
        if job.state in ("open", "waiting"):
            self._run(job, after)
            job.state = "aborted"
        return Response(status=204)

    def unrouted(self, allowed: tuple[str, ...]) -> Response:
        return as_json({"error": "no such path"}, status=405 if allowed else 404)

    def expire_tokens(self) -> int:
        return 0

    def state(self) -> dict[str, object]:
        return {"jobs": len(self.jobs), "stored": len(self.stored)}

    def _answer(self, request: Request, answer: Callable[[Job], Response]) -> Response:
        if request.header("authorization") != KEY:
            return as_json({"error": "expected our key"}, status=401)
        if "id" not in request.params:
            return answer(Job(""))
        job = self.jobs.get(request.params["id"])
        if job is None:
            return as_json({"error": "no such job"}, status=404)
        if request.method == "PUT":
            if any(len(line) > MAX_LINE_BYTES for line in request.body.splitlines()):
                return as_json({"error": "too-long"}, status=422)
            job.body = request.body if job.state == "open" else job.body
        response = answer(job)
        left = f"{JOBS_A_DAY - len(self.jobs)}/{JOBS_A_DAY}"
        return msgspec.structs.replace(response, headers=(("Jobs-Left", left),))

    def _create(self, request: Request) -> Response:
        def create(_: Job) -> Response:
            job = Job(f"job-{len(self.jobs) + 1}")
            self.jobs[job.id] = job
            return as_json({"id": job.id}, status=201)

        return self._answer(request, create)

    def _put(self, job: Job) -> Response:
        return Response(status=204) if job.state == "open" else _conflict(job)

    def _start(self, job: Job) -> Response:
        if job.state != "open":
            return _conflict(job)
        job.state, job.due_at = "waiting", self.clock.now() + self._run_s
        return Response(status=204)

    def _run(self, job: Job, rows: int | None = None) -> None:
        parcels = [msgspec.json.decode(line) for line in job.body.splitlines()]
        for parcel in parcels[:rows]:
            if parcel.get("value") == "broken":
                job.results.append({"error": "BROKEN"})
                continue
            self.stored.append((parcel["name"], parcel.get("value")))
            job.results.append({"stored": True})
        job.results += [{} for _ in parcels[len(job.results) :]]
        job.state = "done"


def _results(job: Job) -> Response:
    if job.state not in ("done", "aborted"):
        return _conflict(job)
    return _text(b"".join(msgspec.json.encode(result) + b"\n" for result in job.results))


def _text(body: bytes) -> Response:
    return Response(status=200, body=body, content_type="application/x-ndjson")


def _conflict(job: Job) -> Response:
    return as_json({"error": f"the job is {job.state}"}, status=409)
