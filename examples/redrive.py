"""Correct dead letters and publish them again, each at most once, however often this is run.

    python examples/redrive.py [sluice.yaml [error code]]

The letters with this code are selected, one field of their data is set, and they go back to the lane that they came
from. Interrupt it at any moment and run it again: it resumes. ``sluice dead redrive`` does the same in a terminal.
"""

import asyncio
import sys

from sluice.dead_letters.editing import edit_fields, parse_set
from sluice.dead_letters.redrive import Redrive
from sluice.dead_letters.redrive_plan import RedriveRules
from sluice.dead_letters.selection import Selection


async def main(settings: str = "sluice.yaml", code: str = "UNKNOWN_GROUP_TYPE") -> None:
    selection = Selection(codes=(code,))  # also by class, object, key, job, batch and time
    rules = RedriveRules(
        edit=edit_fields(sets=[parse_set("tier=gold")]),  # leave it out to send them unchanged
        max_redrives=3,  # leave alone what was redriven as often as this before
    )
    redrive = Redrive("crm", settings, selection, rules)
    async for _ in redrive.run(rate=500):  # letters a second at most; redrive.plan() sends nothing
        print(f"{redrive.progress.sent} sent so far")
    progress = redrive.progress
    print(f"{progress.selected} selected: {progress.sent} sent, {progress.already_redriven} redriven before")
    for refusal in progress.refusals:
        print(refusal)


asyncio.run(main(*sys.argv[1:]))
