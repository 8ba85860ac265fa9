"""Correct dead letters and publish them again, each at most once, however often this is run.

    python examples/redrive.py [sluice.yaml [error code]]

The letters with this code are selected, one field of their data is set, and they go back to the lane that they came
from. Interrupt it at any moment and run it again: it resumes. ``sluice dead redrive`` does the same in a terminal.
"""

import asyncio
import sys

from sluice.dead_letters.editing import edit_fields, parse_set
from sluice.dead_letters.redrive import redrive
from sluice.dead_letters.selection import Selection


async def main(settings: str = "sluice.yaml", code: str = "UNKNOWN_GROUP_TYPE") -> None:
    result = await redrive(
        settings,
        "crm",
        Selection(codes=(code,)),  # also by class, object, key, job, batch and time
        edit=edit_fields(sets=[parse_set("tier=gold")]),  # leave it out to send them unchanged
        rate=500,  # letters a second at most
        max_redrives=3,  # leave alone what was redriven as often as this before
    )
    print(f"{result.selected} selected: {result.sent} sent, {result.already} redriven before")
    for refusal in result.refusals:
        print(refusal)


asyncio.run(main(*sys.argv[1:]))
