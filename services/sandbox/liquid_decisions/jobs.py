"""All jobs. Each call first runs what is due by the sandbox's clock. liquid_decisions.md §8, §9."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from heapq import heappop, heappush
from itertools import count
from typing import TypeVar

import msgspec

from sandbox.clock import Clock
from sandbox.faults.board import FaultBoard
from sandbox.faults.fault import Selection
from sandbox.http.messages import Request, Response, as_json
from sandbox.liquid_decisions.community import Community
from sandbox.liquid_decisions.failing_work import FailingWork
from sandbox.liquid_decisions.faults import FailJob, HoldJobs, SlowJob, UnknownStatus
from sandbox.liquid_decisions.forms import Form, read_form, required
from sandbox.liquid_decisions.job import Job, Work
from sandbox.liquid_decisions.outbox import Outbox
from sandbox.liquid_decisions.refusal import Refusal
from sandbox.liquid_decisions.settings import Settings

Chosen = TypeVar("Chosen", bound=Selection)


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

    def __iter__(self) -> Iterator[Job]:
        return iter(self._jobs.values())

    def get(self, job_id: str) -> Job | None:
        return self._jobs.get(job_id)

    def by_status(self) -> Counter[str]:
        return Counter(job.status for job in self._jobs.values())

    def submit(
        self, request: Request, community: Community, form: Form, prepare: Callable[[], Work], *, accepted_reason: str
    ) -> Response:
        """Take a job and answer its status. Bad parameters or a bad file make a job that is Rejected. §7"""
        at = self._clock.now()
        settings, work = self._settings_of(request), self._work(request, prepare)
        held = next(self._acting(HoldJobs, request), None)
        job = Job(
            community.name,
            form,
            settings,
            work,
            accepted_reason=accepted_reason,
            at=at,
            hold_after=None if held is None else held.after_records,
        )
        self._jobs[job.id] = job
        self._mail(job)
        self._wait_for(job)
        self.catch_up(at)
        return self._answer(job, request)

    def status(self, request: Request, community: Community) -> Response:
        return self._answer(self._find(request, community), request)

    def cancel(self, request: Request, community: Community) -> Response:
        job = self._find(request, community)
        self.note_cancel(job)
        return self._answer(job, request)

    def note_cancel(self, job: Job) -> None:
        with self._mailed(job):
            job.cancel()

    def release(self, jobs: Iterable[Job]) -> int:
        """Let those that are held go on, in the order of their submits; return how many there were."""
        held, now = [job for job in jobs if job.is_held], self._clock.now()
        for job in held:
            with self._mailed(job):
                job.release(now)
            self._wait_for(job)
        self.catch_up(now)
        return len(held)

    def catch_up(self, now: float) -> None:
        """Run what is due, the earliest first, so that jobs that run at once take turns."""
        while self._due and self._due[0][0] <= now:
            _, _, job = heappop(self._due)
            with self._mailed(job):
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
        for fault in self._acting(FailJob, request):
            work = FailingWork(work, fault)
        return work

    def _settings_of(self, request: Request) -> Settings:
        """Return the settings, slowed down by the faults that meet the request."""
        settings = self._settings
        for fault in self._acting(SlowJob, request):
            slice_s = settings.slice_s if fault.slice_s is None else fault.slice_s
            settings = msgspec.structs.replace(settings, queue_s=settings.queue_s + fault.seconds, slice_s=slice_s)
        return settings

    def _acting(self, kind: type[Chosen], request: Request) -> Iterator[Chosen]:
        return self._faults.acting((kind,), request.method, request.path, request.body)

    def _answer(self, job: Job, request: Request) -> Response:
        """Answer the status. §8 [docs]: numbers are strings, an e-mail not given is left out [assumed]."""
        form = job.form
        strange = next(self._acting(UnknownStatus, request), None)
        email = {"notificationEmail": form["notificationEmail"]} if "notificationEmail" in form else {}
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
                "status": job.status if strange is None else strange.status,
                "reason": job.reason,
                **self._links(job),
            }
        )

    def _links(self, job: Job) -> dict[str, str]:
        """Return the field of the status that has the links, if it has any. §10, §15"""
        if not job.links or not self._settings.links_in_reason:
            return {}
        links, name = " ".join(job.links), self._settings.links_field
        return {name: f"{job.reason}: {links}" if name == "reason" else links}

    def _wait_for(self, job: Job) -> None:
        """Queue the job for its next step, if it has one and is not held."""
        if job.due_at is not None and not job.is_held:
            heappush(self._due, (job.due_at, next(self._turns), job))

    @contextmanager
    def _mailed(self, job: Job) -> Iterator[None]:
        """Send a mail if the status of the job changes in this context."""
        before = job.status
        yield
        if job.status != before:
            self._mail(job)

    def _mail(self, job: Job) -> None:
        """Send the mail of the job's end, or of any status where the settings say so. §10, §15"""
        if "notificationEmail" in job.form and (job.due_at is None or self._settings.mails_each_status):
            self._outbox.post(job)


def _datetime(instant: float) -> str:
    """Return ``yyyy-MM-dd'T'HH:mm:ss+0000``, the offset without a colon. §1 [docs]"""
    return f"{datetime.fromtimestamp(instant, UTC):%Y-%m-%dT%H:%M:%S}+0000"
