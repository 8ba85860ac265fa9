"""The story of Salesforce: accounts, contacts through a rolling restart, and inserts whose answers are lost."""

from collections import Counter
from collections.abc import Mapping, Sequence

from demo.crew import Crew
from demo.environment import Environment
from demo.evidence import Effects, Evidence, Holding
from demo.live_view import LiveView
from demo.processes import Sandbox
from demo.progress import Progress
from demo.salesforce.acts import Acts
from demo.salesforce.baseball import CORRECTIONS, Baseball
from demo.salesforce.bulk_api import BULK_APIS
from demo.salesforce.job_evidence import print_jobs
from demo.salesforce.org_query import count_records
from demo.screen import Screen
from demo.story import Stage
from sandbox.control import SandboxControl
from sandbox.salesforce.control import SalesforceControl
from sluice import Receipt, Succeeded

_OBJECTS = ("Account", "Contact", "Task")
_SUBJECT = "Subject"
"""The field by which the stand-in tells whether a task was inserted twice."""


class BaseballStory:
    """One run of it."""

    sandbox: Sequence[str] = ("salesforce", "--identifier-field", _SUBJECT)
    effects = Effects({"Created": "CREATED", "Success": "UPDATED"})
    explanations: Mapping[str, str] = {
        "Account Created": "clubs and colleges",
        "Contact Created": "players",
        "Contact Success": "corrections of players",
        "Task Created": "ballots, inserted",
    }

    def __init__(self, players: int | None, *, outage_s: float, api: str) -> None:
        """``api`` is the version of the Bulk API."""
        self._baseball = Baseball(players)
        self._outage_s = outage_s
        self._api = BULK_APIS[api]
        self._vendor = Sandbox()
        self.title = (
            f"Sluice carries {len(self._baseball.contacts.rows):,} baseball players, their clubs and the ballots of "
            f"the Hall of Fame through Kafka into Salesforce's Bulk API {api}."
        )

    async def set_up(self, screen: Screen, vendor: Sandbox, _control: SandboxControl) -> None:
        """Print what it is, and remember how to ask it."""
        self._vendor = vendor
        screen.print(f"the vendor, a strict stand-in for an org of Salesforce, answers at {vendor.url}")

    def destination(self, vendor: Sandbox) -> dict[str, object]:
        """Return the destination's entry in the settings file."""
        return self._api.destination(vendor)

    async def tell(self, stage: Stage) -> int:
        """Tell the acts."""
        view = LiveView(stage.screen)
        async with (
            SalesforceControl(stage.environment.vendor_url) as vendor,
            Progress(stage.environment, view) as progress,
        ):
            crew = Crew(stage, progress, view)
            acts = Acts(stage, vendor, progress, view, crew)
            await acts.accounts(self._baseball.accounts)
            await acts.contacts(self._baseball)
            await acts.ballots(self._baseball, self._api, self._outage_s)
            await crew.finish()
            return progress.published

    async def holdings(self, environment: Environment, receipts: Sequence[Receipt]) -> Sequence[Holding]:
        """Return how many records of each object the org has."""
        records = (await environment.vendor.state())["records"]
        has = records if isinstance(records, dict) else {}
        created = Counter(
            receipt.event.object
            for receipt in receipts
            if isinstance(receipt, Succeeded) and receipt.event.status == "Created"
        )
        by_object = [Holding(f"records of {name}", has.get(name, 0), created[name]) for name in _OBJECTS]
        corrected = await count_records(self._vendor, "SELECT COUNT() FROM Contact WHERE Title LIKE '%, checked'")
        return [
            *by_object,
            Holding("contacts as they were corrected", corrected, CORRECTIONS, "each published later than the player"),
        ]

    async def print_batches(self, screen: Screen, environment: Environment, evidence: Evidence) -> None:
        """Print the jobs, what became of them over the restart, and what they took of the day's budgets."""
        async with SalesforceControl(environment.vendor_url) as vendor:
            print_jobs(screen, evidence, await vendor.used(), await vendor.calls())

    def commands_to_try(self, sluice: str, environment: Environment) -> Mapping[str, str]:
        """Return commands that publish a player, hold a job, and show the vendor's jobs."""
        row = "printf 'Ext__c,LastName\\nme,Myself\\n'"
        url = environment.vendor_url
        return {
            f"{row} | {sluice} publish crm - --object Contact --key Ext__c": "one more player",
            f"""curl -d '{{"kind": "hold_jobs"}}' {url}/_sandbox/faults""": "let the next job wait, publish again",
            f"{sluice} vendor-jobs ls crm": "the jobs that Salesforce has",
            f"curl -X POST {url}/_sandbox/jobs/release": "let waiting jobs run",
            f"tail -f {environment.directory}/writer-*.log": "the writers' logs: a line for each job's begin and end",
        }
