"""Orders of a person of ours to abort vendor jobs, as a harm: whoever owns the lanes then."""

from collections.abc import Awaitable, Callable

from sandbox.faults.fault import Selection
from sluice.events import VendorJobOrder
from sluice.vendor_jobs.journals import Site, read_open_jobs
from sluice.vendor_jobs.orders import write_orders
from sluice.wall_clock import utc_now
from tests.chaos.harm import Act, Scene
from tests.support.writer_process import DESTINATION


def order_aborts(hold: Callable[[], Selection], release: Callable[[str], Awaitable[None]]) -> Act:
    """Return an act that orders aborts of jobs which ``hold`` makes wait, until ``release`` at the vendor's address."""

    async def act(scene: Scene) -> None:
        connection = scene.stage.connection
        site = Site(connection.kafka, DESTINATION, connection.topic_prefix)
        for number in range(4):
            scene.stage.app.faults.add(hold())
            await scene.some_time(0.5, 1.5)
            submitted = [job for job in await read_open_jobs(site) if job.known.is_submitted]
            for job in scene.rng.sample(submitted, min(2, len(submitted))):
                order = VendorJobOrder(
                    batch_id=job.batch_id,
                    order="abort",
                    order_id=f"{number}-{job.batch_id}",
                    reason="chaos",
                    by="chaos",
                    at=utc_now(),
                )
                await write_orders(site.kafka, site.topics.control, [(lane, order) for lane in job.parts])
            await scene.some_time(0.0, 1.0)
            await release(scene.stage.url)

    return act
