"""The acts of the story, in their order.

1. Meetings are made, each by a call and one more for each attendee. The writer is killed in the middle of some.
2. Goals, issues and to-dos are made. Two answers are lost, and then Bloom Growth is down for a while.
3. What is done is ticked off, by the ids that the receipts have told.
4. The meeting that lacks an attendee is corrected and redriven: it is gone on with, not made again.
"""

import asyncio
from collections.abc import Mapping, Sequence

from demo.bloom_growth.bad_records import VENDOR, bad_records
from demo.bloom_growth.vulnerabilities import ATTENDEES, DONE_BEFORE, Vulnerabilities, meeting_event
from demo.crew import Crew
from demo.environment import SESSION_TIMEOUT_S
from demo.live_view import LiveView
from demo.processes import DESTINATION, DemoFailed, run_sluice
from demo.progress import Progress
from demo.story import Stage
from demo.upstream import Change, Upstream
from sandbox.bloom_growth.audit import Created, CreatedFilter
from sandbox.bloom_growth.control import BloomGrowthControl
from sandbox.faults.fault import DropAfter, DropBefore, Latency, Outage

_API = "/api/v1"
_CALL_S = 0.05
"""The time that Bloom Growth takes for a call."""
_ATTENDEE_S = 0.4
"""The time that it takes to add an attendee while meetings are made: long enough to kill a writer in between."""
_MEETINGS_S, _AGENDA_S, _TICKING_S = 0.5, 4.0, 1.0
"""The times over which records are published."""
_LOOKS, _LOOK_S = 200, 0.05
"""Looks for a meeting that is half made, and the seconds between them."""
_LOST_AFTER = 40
"""Creates of a kind before the one whose answer is lost."""
_DOWN_AT = 0.4
"""The share of the agenda that has its receipt when Bloom Growth goes down."""


class Acts:
    """The acts of one run."""

    def __init__(
        self, stage: Stage, vendor: BloomGrowthControl, progress: Progress, view: LiveView, crew: Crew
    ) -> None:
        self._stage = stage
        self._vendor = vendor
        self._progress = progress
        self._view = view
        self._crew = crew

    async def meetings(self, changes: Sequence[Change]) -> None:
        """Have the meetings made, and kill the writer meanwhile."""
        screen, progress, view = self._stage.screen, self._progress, self._view
        screen.step("Meetings take several calls each, and the writer is killed in the middle")
        screen.print(
            f"{len(changes)} meetings, one for each maker of vulnerable products; each is created by a call, and its "
            f"{ATTENDEES} attendees are added by {ATTENDEES} more. The message key is the title"
        )
        screen.command(f"python -m sluice.writer --destination {DESTINATION}")
        await self._crew.start_writers(1)
        await self._vendor.add_fault(Latency(seconds=_ATTENDEE_S, times=None, path=f"{_API}/L10/*/attendees"))
        async with self._crew.publishing(Upstream(changes, [], "meetings"), over_s=_MEETINGS_S) as publishing:
            with view.shown():
                await publishing
                half_made = await self._half_made_meetings()
                [writer] = progress.writers
                await self._crew.kill(writer)
                view.event(
                    f"[red]kill -9[/] of the writer in the middle: {half_made} of the meetings had only some of their "
                    "attendees"
                )
                view.event(
                    f"two new writers start; Kafka gives them the lanes when it has missed the old one for "
                    f"{SESSION_TIMEOUT_S:.0f} s"
                )
                await self._vendor.clear_faults()
                await self._crew.start_writers(2)
                await progress.until(
                    lambda _: progress.receipts["meeting"] == len(changes), "the receipts of all meetings"
                )
        made = await self._vendor.created(CreatedFilter(object="meeting"))
        view.event(
            f"all {len(changes)} meetings have their receipt, and Bloom Growth has made {len(made)}: begun ones were "
            "found in the journal, and gone on with"
        )

    async def agenda(self, vulnerabilities: Vulnerabilities, outage_s: float) -> None:
        """Have goals, issues and to-dos made, while answers are lost and Bloom Growth goes down."""
        screen, progress, view = self._stage.screen, self._progress, self._view
        screen.step("Goals, issues and to-dos, through lost answers and an outage")
        ids = {vendor: progress.record_ids[meeting_event(vendor)] for vendor in vulnerabilities.vendors}
        bad = bad_records(next(iter(ids.values())), vulnerabilities.attendees(VENDOR))
        upstream = Upstream(vulnerabilities.agenda(ids), bad, "agenda")
        screen.print(
            f"{len(vulnerabilities.rows)} vulnerabilities become an issue and a to-do each, in the meetings whose ids "
            f"the receipts have told: {upstream.total - len(bad)} records with the goals, and {len(bad)} bad ones of a "
            "careless system between them"
        )
        screen.print(
            "the message key is the meeting's id: one lane has all creates of a meeting, so what is found there is ours"
        )
        await self._vendor.add_fault(Latency(seconds=_CALL_S, times=None, path=_API))
        skip = min(_LOST_AFTER, len(vulnerabilities.rows) // 4)
        await self._vendor.add_fault(DropAfter(method="POST", path=f"{_API}/issues/create", skip=skip))
        await self._vendor.add_fault(DropBefore(method="POST", path=f"{_API}/L10/*/todos", skip=skip))
        screen.print("an issue will be made and its answer lost, and a to-do will be lost before it is made")
        before = progress.figures.receipts
        async with self._crew.publishing(upstream, over_s=_AGENDA_S) as publishing:
            with view.shown():
                down_at = before + int(_DOWN_AT * upstream.total)
                await progress.until(lambda now: now.receipts >= down_at, "the receipts before the outage")
                outage = Outage(path=_API, seconds=outage_s, status=503)
                await self._crew.outage(self._vendor, "Bloom Growth", outage)
                await publishing
                await progress.until(lambda now: now.receipts == progress.published, "the receipts of the agenda")
        view.event(f"all {upstream.total:,} records have their receipt")

    async def ticked_off(self, vulnerabilities: Vulnerabilities) -> None:
        """Have done what was due."""
        screen, progress, view = self._stage.screen, self._progress, self._view
        screen.step("What was due is ticked off")
        changes = vulnerabilities.progress(progress.record_ids)
        await self._vendor.clear_faults()
        screen.print(
            f"{len(changes)} updates, by the ids that the receipts have told: to-dos and issues due before "
            f"{DONE_BEFORE} are completed, goals of those whom ransomware has met are off track"
        )
        async with self._crew.publishing(Upstream(changes, [], "progress"), over_s=_TICKING_S) as publishing:
            with view.shown():
                await publishing
                await progress.until(lambda now: now.receipts == progress.published, "the receipts of the updates")
        view.event(f"all {len(changes)} updates have their receipt")

    async def corrected(self, attendees: Sequence[int]) -> None:
        """Have the half-made meeting completed."""
        screen, progress, view = self._stage.screen, self._progress, self._view
        screen.step("A dead letter is corrected and redriven")
        directory = self._stage.environment.directory
        await run_sluice(screen, directory, f"dead count {DESTINATION}")
        screen.print("`partial` is the meeting with an attendee who is nobody: it is made, and the others attend it")
        correct = ",".join(map(str, attendees))
        await run_sluice(
            screen, directory, f"dead redrive {DESTINATION} --code partial --set attendees=[{correct}] --yes"
        )
        progress.by_commands += 1
        await progress.until(lambda now: now.receipts == progress.published, "the receipt of the corrected meeting")
        view.event("the meeting has its second receipt, `CREATED`: it was gone on with, and not made again")

    async def _half_made_meetings(self) -> int:
        """Wait for meetings that have some of their attendees, and return how many do."""
        for _ in range(_LOOKS):
            made = await self._vendor.created(CreatedFilter(object="meeting"))
            half_made = sum(1 < len(_attendees(one)) <= ATTENDEES for one in made)
            if half_made:
                return half_made
            await asyncio.sleep(_LOOK_S)
        raise DemoFailed("the writer has begun no meeting, or was too fast to be met in the middle of one")


def whole_meetings(made: Sequence[Created], wanted: Mapping[str, Sequence[int]]) -> int:
    """Return how many of ``made`` were made once and have the ``wanted`` attendees of their title, and the maker."""
    return sum(one.times == 1 and set(_attendees(one)[1:]) == set(wanted[one.title]) for one in made)


def _attendees(meeting: Created) -> list[int]:
    return meeting.attendees or []
