"""The story of BlueConic: 28,000 airports from a file, corrections and bad records, and an outage in the middle."""

from collections import Counter
from collections.abc import Mapping, Sequence

import msgspec

from demo.blueconic.airports import airports_file, bad_records, later_changes, load_airports
from demo.blueconic.delivery import DeliveryWatcher
from demo.environment import Environment
from demo.evidence import Evidence, Holding
from demo.live_view import LiveView
from demo.processes import DESTINATION, Sandbox, log_lines
from demo.screen import Screen
from demo.story import Stage
from demo.summary import new_table
from demo.upstream import Upstream, publish_file
from sandbox.control import SandboxControl
from sandbox.faults.fault import Latency
from sluice import DeadLetter, Receipt, Succeeded

_GROUP_TYPE = "airport"
_PUBLISHING_S = 5.0
"""The time for which the other upstream systems publish, beside the outage."""
_LATENCY_S, _JITTER_S = 0.4, 0.2
"""The time that the vendor takes for a bulk request, long enough to see requests in flight."""
_LOG = "writer"


class SentBatch(msgspec.Struct):
    """One batch of the writer's log."""

    items: int
    flushed_by: str
    requests: int


class AirportsStory:
    """One run of it."""

    sandbox: Sequence[str] = ("blueconic",)
    effects = None
    explanations: Mapping[str, str] = {
        "CREATED": "from the file",
        "MODIFIED": "corrections",
        "DELETED": "closed since",
        "UNCHANGED": "published again",
        "NOTFOUND": "unknown airports",
    }

    def __init__(self, airports: int | None, *, outage_s: float) -> None:
        self._airports = load_airports(airports)
        self._outage_s = outage_s
        self.title = f"Sluice carries {len(self._airports):,} airports through Kafka into a vendor's bulk API."

    async def set_up(self, screen: Screen, vendor: Sandbox, control: SandboxControl) -> None:
        """Make requests take their time."""
        await control.add_fault(Latency(seconds=_LATENCY_S, jitter_s=_JITTER_S, times=None, method="PUT"))
        screen.print(
            f"the vendor, a strict stand-in for BlueConic, answers at {vendor.url}, in {_LATENCY_S:g} to "
            f"{_LATENCY_S + _JITTER_S:g} s a request"
        )

    def destination(self, vendor: Sandbox) -> dict[str, object]:
        """Return the destination's entry in the settings file."""
        account = {"url": vendor.url, "client_id": vendor.client_id, "client_secret": vendor.client_secret}
        # The outage lasts seconds, not hours: check more often whether it is over.
        return {"to": {"kind": "blueconic", **account}, "delivery": {"backoff_cap_s": 1.0}}

    async def tell(self, stage: Stage) -> int:
        """Publish the file, then let two more systems publish while one writer delivers and the vendor goes down."""
        screen, airports = stage.screen, self._airports
        screen.step("Publish the file")
        screen.print(f"airports.csv has {len(airports):,} airports, and in the middle a row that has lost its code")
        await publish_file(screen, stage.environment.directory, airports_file(airports))
        screen.step("A writer delivers, while two more systems publish and the vendor goes down")
        screen.command(f"python -m sluice.writer --destination {DESTINATION}")
        writer = await stage.writers.start(_LOG)
        bad = bad_records()
        upstream = Upstream(later_changes(airports), bad, "corrections")
        view = LiveView(screen)
        view.event(f"one system corrects airports with the library, a careless one slips in {len(bad)} bad records")
        publishing = upstream.publish(stage.environment, over_s=_PUBLISHING_S + self._outage_s)
        watcher = DeliveryWatcher(writer, stage.environment.vendor, upstream, view, in_file=len(airports))
        await watcher.watch(publishing, outage_s=self._outage_s)
        if not stage.keep:
            code = await writer.stop()
            view.event(f"nothing is left to do; the writer is told to stop, and ends with exit code {code}")
        return len(airports) + upstream.published

    async def holdings(self, environment: Environment, receipts: Sequence[Receipt]) -> Sequence[Holding]:
        """Return how many airports the vendor has."""
        groups = (await environment.vendor.state())["groups"]
        has = groups.get(_GROUP_TYPE, 0) if isinstance(groups, dict) else 0
        codes = Counter(receipt.event.status for receipt in receipts if isinstance(receipt, Succeeded))
        return [Holding("airports", has, codes["CREATED"] - codes["DELETED"])]

    async def print_batches(self, screen: Screen, _environment: Environment, evidence: Evidence) -> None:
        """Print the batches by the reason why they were closed, and what the outage did."""
        lines = [line for log in evidence.logs for line in log_lines(log, "batch settled")]
        batches = msgspec.convert(lines, list[SentBatch])
        table = new_table("batches closed by", "batches", "records, least", "median", "most")
        for reason in sorted({batch.flushed_by for batch in batches}):
            sizes = sorted(batch.items for batch in batches if batch.flushed_by == reason)
            table.add_row(reason, f"{len(sizes)}", f"{sizes[0]:,}", f"{sizes[len(sizes) // 2]:,}", f"{sizes[-1]:,}")
        screen.print(table)
        screen.print()
        refused = sum(count for request, count in evidence.ledger.requests.items() if request.endswith(" 503"))
        again = sum(batch.requests > 1 for batch in batches)
        lost = sum(isinstance(receipt, DeadLetter) and receipt.http_status == 503 for receipt in evidence.receipts)
        screen.print(
            f"the outage: {refused} requests were answered with 503, by the vendor's count; {again} "
            f"batches were sent again until it took them; dead letters because of it: {lost}"
        )

    def commands_to_try(self, sluice: str, environment: Environment) -> Mapping[str, str]:
        """Return commands that publish an airport, take the vendor down, and show the log."""
        row = "printf 'icao,name\\nXA01,My Airport\\n'"
        down = """curl -d '{"kind": "outage", "seconds": 20, "status": 503}'"""
        return {
            f"{row} | {sluice} publish crm - --object group/airport --key icao": "one more airport",
            f"{down} {environment.vendor_url}/_sandbox/faults": "take the vendor down for 20 s, then publish again",
            f"tail -f {environment.directory / f'{_LOG}.log'}": "the writer's log: one line a batch",
        }
