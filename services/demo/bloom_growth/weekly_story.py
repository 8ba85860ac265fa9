"""The story of Bloom Growth: meetings, goals, issues and to-dos about vulnerabilities."""

from collections import Counter
from collections.abc import Mapping, Sequence

import httpx

from demo.bloom_growth.acts import Acts, whole_meetings
from demo.bloom_growth.bad_records import VENDOR
from demo.bloom_growth.call_evidence import print_lost_answers
from demo.bloom_growth.vulnerabilities import Vulnerabilities, title
from demo.crew import Crew
from demo.environment import Environment
from demo.evidence import Effects, Evidence, Holding
from demo.live_view import LiveView
from demo.processes import Sandbox
from demo.progress import Progress
from demo.screen import Screen
from demo.story import Stage
from sandbox.bloom_growth.audit import CreatedFilter
from sandbox.bloom_growth.control import BloomGrowthControl
from sandbox.control import SandboxControl
from sluice import Receipt, Succeeded

_CALLS_PER_S = 200
_SETTLE_S = 5.0
"""The time that the writers wait for a lost answer."""
_USUAL_SETTLE_S = 130
_MADE = ("CREATED", "adopted")


class WeeklyStory:
    """One run of it."""

    sandbox: Sequence[str] = ("bloom-growth", "--empty", "--requests-per-second", f"{_CALLS_PER_S}")
    # Attendees are parts of a meeting, and a repeat without effect or a refusal changes nothing.
    effects = Effects(
        {"adopted": "CREATED", "UPDATED": "CHANGED", "partial": None, "404": None},
        lambda family, effect: family != "attendee" and effect in ("CREATED", "CHANGED", "DELETED"),
    )
    explanations: Mapping[str, str] = {
        "meeting CREATED": "with all their attendees",
        "meeting adopted": "begun by the killed writer, found, and completed",
        "meeting partial": "one attendee was refused; redriven later",
        "issue CREATED": "vulnerabilities",
        "issue adopted": "their answer was lost, and they were found",
        "todo CREATED": "what CISA requires",
        "todo adopted": "their answer was lost, and they were found",
        "goal CREATED": "outcomes of NIST's framework",
        "goal adopted": "their answer was lost, and they were found",
        "issue UPDATED": "solved",
        "todo UPDATED": "done",
        "goal UPDATED": "off track",
    }

    def __init__(self, vulnerabilities: int | None, *, outage_s: float) -> None:
        self._count = vulnerabilities
        self._outage_s = outage_s
        self._vulnerabilities = Vulnerabilities(vulnerabilities, [0])
        self.title = (
            f"Sluice carries {len(self._vulnerabilities.rows)} vulnerabilities that are known to be exploited, and "
            "weekly meetings about them, through Kafka into Bloom Growth, which takes one record a call."
        )

    async def set_up(self, screen: Screen, vendor: Sandbox, _control: SandboxControl) -> None:
        """Print what it is, and find the people who attend."""
        people = await _find_people(vendor)
        self._vulnerabilities = Vulnerabilities(self._count, people)
        screen.print(
            f"the vendor, a strict stand-in for Bloom Growth, answers at {vendor.url}; it has {len(people) + 1} "
            f"people, no meetings, and takes {_CALLS_PER_S} calls a second"
        )
        screen.print(
            f"after a lost answer the writers wait {_SETTLE_S:g} s before they look for what it made; the real service "
            f"gets {_USUAL_SETTLE_S} s"
        )

    def destination(self, vendor: Sandbox) -> dict[str, object]:
        """Return the destination's entry in the settings file."""
        login = {"user_name": vendor.user_name, "password": vendor.password}
        return {
            "to": {"kind": "bloom_growth", "url": vendor.url, **login, "settle_s": _SETTLE_S},
            # Creates of one meeting may go side by side: no two have one title.
            "ordering": "none",
            "window": {"max_age_s": 0.5},
            "delivery": {"backoff_cap_s": 1.0},
        }

    async def tell(self, stage: Stage) -> int:
        """Tell the acts."""
        view = LiveView(stage.screen)
        async with (
            BloomGrowthControl(stage.environment.vendor_url) as vendor,
            Progress(stage.environment, view) as progress,
        ):
            crew = Crew(stage, progress, view)
            acts = Acts(stage, vendor, progress, view, crew)
            await acts.meetings(self._vulnerabilities.meetings)
            await acts.agenda(self._vulnerabilities, self._outage_s)
            await acts.ticked_off(self._vulnerabilities)
            await acts.corrected(self._vulnerabilities.attendees(VENDOR))
            await crew.finish()
            return progress.published

    async def holdings(self, environment: Environment, receipts: Sequence[Receipt]) -> Sequence[Holding]:
        """Return how many meetings are as they should be, and how many of everything else there are."""
        async with BloomGrowthControl(environment.vendor_url) as vendor:
            made = await vendor.created(CreatedFilter(object="meeting"))
            state = await vendor.state()
        wanted = {title(one): self._vulnerabilities.attendees(one) for one in (*self._vulnerabilities.vendors, VENDOR)}
        created = Counter(
            receipt.event.object
            for receipt in receipts
            if isinstance(receipt, Succeeded) and receipt.event.status in _MADE
        )
        return [
            Holding(
                "meetings made once, with all their attendees", whole_meetings(made, wanted), len(wanted), "one each"
            ),
            *(Holding(f"{name}s", _number(state[f"{name}s"]), created[name], "created") for name in _KINDS),
        ]

    async def print_batches(self, screen: Screen, _environment: Environment, evidence: Evidence) -> None:
        """Print the calls, and what became of those whose answer was lost."""
        print_lost_answers(screen, evidence)

    def commands_to_try(self, sluice: str, environment: Environment) -> Mapping[str, str]:
        """Return commands that publish a meeting, lose its answer, and show the log."""
        row = """echo '{"title": "Mine, weekly"}'"""
        url = environment.vendor_url
        lost = """curl -d '{"kind": "drop_after", "method": "POST", "path": "/api/v1/L10/create"}'"""
        return {
            f"{row} | {sluice} publish crm - --object meeting --operation insert --format jsonl": "one more meeting",
            f"{lost} {url}/_sandbox/faults": "lose the answer to the next one, then publish another",
            f"curl '{url}/_sandbox/created?object=meeting'": "the meetings with their attendees",
            f"tail -f {environment.directory}/writer-*.log": "the writers' logs",
        }


_KINDS = ("meeting", "goal", "issue", "todo")


async def _find_people(vendor: Sandbox) -> list[int]:
    """Return the ids of the people who can log in, without the one in whose name all is written."""
    async with httpx.AsyncClient(base_url=f"{vendor.url}/api/v1", trust_env=False) as http:
        http.headers["Authorization"] = f"Bearer {vendor.api_key}"
        me = (await http.get("/users/mine")).raise_for_status().json()["Id"]
        found = (await http.get("/search/user", params={"term": "@"})).raise_for_status().json()
    return [person["Id"] for person in found if person["Id"] != me]


def _number(value: object) -> int:
    return value if isinstance(value, int) else 0
