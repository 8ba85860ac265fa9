"""All jobs. Each call first runs what is due by the sandbox's clock. liquid_decisions.md §8, §9."""

from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from heapq import heappop, heappush
from itertools import count

import msgspec

from sandbox.clock import Clock
from sandbox.faults.board import FaultBoard
from sandbox.http.messages import Request, Response, as_json
from sandbox.liquid_decisions.community import Community
from sandbox.liquid_decisions.failing_work import FailingWork
from sandbox.liquid_decisions.faults import FailJob, SlowJob
from sandbox.liquid_decisions.forms import Form, read_form, required
from sandbox.liquid_decisions.job import Job, Work
from sandbox.liquid_decisions.outbox import Outbox
from sandbox.liquid_decisions.refusal import Refusal
from sandbox.liquid_decisions.settings import Settings


class Jobs:
    """Register of jobs, which keeps them forever; the finished ones are small. §8 [assumed]"""

    def __init__(self, settings: Settings, clock: Clock, faults: FaultBoard, outbox: Outbox) -> None:
        self._settings = settings
        self._clock = clock
        self._faults = faults
        self._outbox = outbox
        self._turns = count()
        self.clear()

    def clear(self) -> None:
        self._jobs: dict[str, Job] = {}
        self._due: list[tuple[float, int, Job]] = []

    def by_status(self) -> Counter[str]:
        return Counter(job.status for job in self._jobs.values())

    def submit(
        self, request: Request, community: Community, form: Form, prepare: Callable[[], Work], *, accepted_reason: str
    ) -> Response:
        """Take a job and answer its status. Bad parameters or a bad file make a job that is Rejected. §7"""
        at = self._clock.now()
        settings, work = self._settings_of(request), self._work(request, prepare)
        job = Job(community.name, form, settings, work, accepted_reason=accepted_reason, at=at)
        self._jobs[job.id] = job
        self._wait_for(job)
        self.catch_up(at)
        return self._answer(job)

    def status(self, request: Request, community: Community) -> Response:
        return self._answer(self._find(request, community))

    def cancel(self, request: Request, community: Community) -> Response:
        job = self._find(request, community)
        job.cancel()
        return self._answer(job)

    def catch_up(self, now: float) -> None:
        """Run what is due, the earliest first, so that jobs that run at once take turns."""
        while self._due and self._due[0][0] <= now:
            _, _, job = heappop(self._due)
            job.step()
            self._wait_for(job)

    def _find(self, request: Request, community: Community) -> Job:
        """Return the job. Raises a 404 for an unknown job, or one of another community. §8 [assumed]"""
        job_id = required(read_form(request), "jobId")
        job = self._jobs.get(job_id)
        if job is None or job.community != community.name:
            raise Refusal(f"no job {job_id[:60]!r}", error="not_found", status=404)
        return job

    def _work(self, request: Request, prepare: Callable[[], Work]) -> Work | str:
        """Return the work, or why it is refused: the request succeeds, but the job will be Rejected. §7 [docs]"""
        try:
            work = prepare()
        except Refusal as refusal:
            return str(refusal)
        for fault in self._faults.acting((FailJob,), request.method, request.path, request.body):
            work = FailingWork(work, fault)
        return work

    def _settings_of(self, request: Request) -> Settings:
        """Return the settings, slowed down by the faults that meet the request."""
        settings = self._settings
        for fault in self._faults.acting((SlowJob,), request.method, request.path, request.body):
            slice_s = settings.slice_s if fault.slice_s is None else fault.slice_s
            settings = msgspec.structs.replace(settings, queue_s=settings.queue_s + fault.seconds, slice_s=slice_s)
        return settings

    def _answer(self, job: Job) -> Response:
        """Answer the status. §8 [docs]: numbers are strings, an e-mail not given is left out [assumed]."""
        form = job.form
        email = {"notificationEmail": form["notificationEmail"]} if "notificationEmail" in form else {}
        has_links = self._settings.links_in_reason and job.links
        return as_json(
            {
                "submitTime": _datetime(job.submitted_at),
                "jobId": job.id,
                **email,
                "jobName": form.get("jobName", ""),
                "contentType": form.get("contentType", ""),
                "itemType": form.get("itemType", ""),
                "recordsProcessed": str(job.processed),
                "runTime": str(job.run_time_ms(self._clock.now())),
                "status": job.status,
                "reason": f"{job.reason}: {' '.join(job.links)}" if has_links else job.reason,
            }
        )

    def _wait_for(self, job: Job) -> None:
        """Queue the job for its next step, or send the mail of its end."""
        if job.due_at is not None:
            heappush(self._due, (job.due_at, next(self._turns), job))
        elif "notificationEmail" in job.form:
            self._outbox.post(job)


def _datetime(instant: float) -> str:
    """Return ``yyyy-MM-dd'T'HH:mm:ss+0000``, the offset without a colon. §1 [docs]"""
    return f"{datetime.fromtimestamp(instant, UTC):%Y-%m-%dT%H:%M:%S}+0000"
