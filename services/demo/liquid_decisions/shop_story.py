"""The story of Liquid Decisions: upserts through an outage, imports that outlive writers, one lost, one canceled."""

from collections import Counter
from collections.abc import Mapping, Sequence

import msgspec

from demo.crew import Crew
from demo.environment import Environment
from demo.evidence import Effects, Evidence, Holding
from demo.liquid_decisions.acts import Acts
from demo.liquid_decisions.job_evidence import print_jobs
from demo.liquid_decisions.shop import CANCELED_DAY, LOST_DAY, Shop
from demo.live_view import LiveView
from demo.processes import Sandbox
from demo.progress import Progress
from demo.screen import Screen
from demo.story import Stage
from sandbox.control import SandboxControl
from sandbox.ledger.ledger import LedgerEntry
from sandbox.liquid_decisions.control import LiquidControl
from sluice import Receipt, Succeeded

_READ_LAG_S = 1.0
"""The time for which a record that is not seen is looked for."""
_USUAL_READ_LAG_S = 30
_TYPES: Mapping[str, Mapping[str, object]] = {
    "Account": {"key_fields": ["accountId"]},
    "Product": {"key_fields": ["productId"]},
    "Order": {"key_fields": ["orderId"], "category": "work", "write": "import"},
}
_APPLIED = "applied"


def count_applied(entries: Sequence[LedgerEntry]) -> dict[str, dict[str, int]]:
    """Return how many entries have changed something, by item type: a repeat that changes nothing does no harm."""
    counts = Counter(entry.object.partition("/")[2] for entry in entries if entry.changed)
    return {name: {_APPLIED: count} for name, count in counts.items()}


class ShopStory:
    """One run of it."""

    sandbox: Sequence[str] = (
        "liquid-decisions",
        "--item-type",
        "Product=productId",
        # By it the stand-in tells whether an order was applied twice.
        "--identifier-field",
        "orderId",
    )
    effects = Effects(
        {
            "accepted": _APPLIED,
            "imported": _APPLIED,
            "InvalidField": None,
            "DuplicateKey": None,
            "aborted-at-vendor": None,
        },
        recount=count_applied,
    )
    explanations: Mapping[str, str] = {
        "Account accepted": "customers, by upsert",
        "Product accepted": "products, by upsert",
        "Order imported": "orders, by import, each read back",
        "Order accepted": "orders, by upsert after all",
        "Order aborted-at-vendor": "the import that was canceled; redriven later",
    }

    def __init__(self, orders: int | None, *, outage_s: float) -> None:
        self._shop = Shop(orders)
        self._outage_s = outage_s
        self.title = (
            f"Sluice carries a shop's {len(self._shop.accounts.rows):,} customers, its products and its orders through "
            "Kafka into Liquid Decisions, by upsert and as import jobs."
        )

    async def set_up(self, screen: Screen, vendor: Sandbox, _control: SandboxControl) -> None:
        """Print what it is."""
        screen.print(f"the vendor, a strict stand-in for Liquid Decisions, answers at {vendor.url}")
        screen.print(
            f"a record that an import has not changed is looked for {_READ_LAG_S:g} s; the real service gets "
            f"{_USUAL_READ_LAG_S} s"
        )

    def destination(self, vendor: Sandbox) -> dict[str, object]:
        """Return the destination's entry in the settings file."""
        return {
            "to": {
                "kind": "liquid_decisions",
                "url": vendor.url,
                "username": vendor.username,
                "password": vendor.password,
                "client_id": vendor.client_id,
                "client_secret": vendor.client_secret,
                "community": vendor.community,
                "types": _TYPES,
                "max_items_per_import": 4_000,
                "max_jobs": 20,
                "read_lag_s": _READ_LAG_S,
            },
            # Jobs and outages last seconds here, not hours: close windows sooner, and ask more often.
            "window": {"max_age_s": 2.0},
            "delivery": {"backoff_cap_s": 1.0, "poll_base_s": 0.5, "poll_cap_s": 1.0},
        }

    async def tell(self, stage: Stage) -> int:
        """Tell the acts."""
        view = LiveView(stage.screen)
        async with (
            LiquidControl(stage.environment.vendor_url) as vendor,
            Progress(stage.environment, view) as progress,
        ):
            crew = Crew(stage, progress, view)
            acts = Acts(stage, vendor, progress, view, crew)
            await acts.upserts(self._shop, self._outage_s)
            await acts.imports(self._shop.orders)
            await acts.lost(self._shop.orders_of(LOST_DAY))
            await acts.canceled(self._shop.orders_of(CANCELED_DAY))
            await crew.finish()
            return progress.published

    async def holdings(self, environment: Environment, receipts: Sequence[Receipt]) -> Sequence[Holding]:
        """Return how many items of each type the community has."""
        items = (await environment.vendor.state())["items"]
        [tables] = msgspec.convert(items, dict[str, dict[str, int]]).values()
        delivered = Counter(receipt.event.object for receipt in receipts if isinstance(receipt, Succeeded))
        return [Holding(f"{name} items", tables[name], delivered[name], "delivered") for name in _TYPES]

    async def print_batches(self, screen: Screen, _environment: Environment, evidence: Evidence) -> None:
        """Print the upserts and jobs, and what they cost."""
        print_jobs(screen, evidence)

    def commands_to_try(self, sluice: str, environment: Environment) -> Mapping[str, str]:
        """Return commands that publish an order, hold its import, and show it."""
        row = "printf 'orderId,accountId,total\\nmine,17850,9.99\\n'"
        url = environment.vendor_url
        return {
            f"{row} | {sluice} publish crm - --object Order --key orderId": "one more order",
            f"""curl -d '{{"kind": "hold_jobs"}}' {url}/_sandbox/faults""": "let the next job wait, publish again",
            f"{sluice} vendor-jobs ls crm": "the jobs that are under way",
            f"curl -X POST {url}/_sandbox/jobs/release": "let waiting jobs run",
            f"curl '{url}/_sandbox/items?itemType=Order&key=mine'": "what was done to the order",
            f"tail -f {environment.directory}/writer-*.log": "the writers' logs: a line for each job's begin and end",
        }
