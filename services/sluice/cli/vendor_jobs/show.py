"""``sluice vendor-jobs show``: prints everything that is known of one vendor job."""

import asyncio
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import click
import msgspec

from sluice.cli.terminal import local_time
from sluice.cli.vendor_jobs.opening import find_listed, find_ours, open_jobs, unknown_job
from sluice.cli.vendor_jobs.text import (
    instant,
    names,
    order_json,
    other_json,
    our_json,
    our_state,
    print_facts,
)
from sluice.destinations.contract import BatchError
from sluice.destinations.vendor_jobs import Gone, JobState, Over, Running, VendorJob
from sluice.events import VendorJobOrder
from sluice.vendor_jobs.journals import OpenJob, read_open_jobs, runs_of
from sluice.vendor_jobs.orders import read_orders
from sluice.vendor_jobs.survey import ask_states

MAX_RUNS = 20
"""Runs of records that are printed of each lane."""


class OurJob(NamedTuple):
    """One of our jobs, the vendor's state of it or why that is not known, and the orders about it."""

    job: OpenJob
    inputs: Sequence[str]
    state: JobState | None
    problem: str
    orders: Sequence[tuple[int, VendorJobOrder]]


@click.command()
@click.argument("destination")
@click.argument("job", metavar="BATCH_ID|JOB_ID")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.pass_obj
def show(config: str, destination: str, job: str, as_json: bool) -> None:
    """Print what is known of one vendor job of DESTINATION.

    A job of ours goes by its batch id, or by the vendor's id; every other by the vendor's id.
    """
    found = asyncio.run(_find(config, destination, job))
    if isinstance(found, VendorJob):
        if as_json:
            click.echo(msgspec.json.encode(other_json(found, "other")))
        else:
            print_facts(_other_facts(found))
    elif as_json:
        click.echo(msgspec.json.encode(_as_json(found)))
    else:
        print_facts(_facts(found))


async def _find(config: str, destination: str, word: str) -> OurJob | VendorJob:
    async with open_jobs(config, destination) as (site, account):
        ours = await read_open_jobs(site)
        job = find_ours(ours, word)
        if job is None:
            listed = await find_listed(account, word)
            if listed is None:
                raise unknown_job(destination, word, ours)
            return listed
        orders = (await read_orders(site.kafka, site.topics.control, job.parts)).of(job.batch_id)
        try:
            states, problem = await ask_states(account, [job]), ""
        except BatchError as error:
            states, problem = {}, f"it cannot be asked: {error}"
        return OurJob(job, site.topics.inputs, states.get(job.batch_id), problem, orders)


def _as_json(found: OurJob) -> dict[str, Any]:
    job, inputs, state, problem, orders = found
    open_records = [
        {"topic": topic, "partition": lane, "first": first, "last": last}
        for lane, part in sorted(job.parts.items())
        for topic, first, last in runs_of(part, inputs)
    ]
    return {
        **our_json(job, state),
        "vendor_problem": problem or None,
        "fingerprint": job.known.fingerprint,
        "trace": job.known.traceparent or None,
        "open_records": open_records,
        "orders": [order_json(lane, order) for lane, order in orders],
    }


def _facts(found: OurJob) -> Iterator[tuple[str, str]]:
    job, inputs, state, problem, orders = found
    known = job.known
    yield "batch", job.batch_id
    yield "vendor job", names(known.refs)
    yield "batch key", known.batch_key
    yield "state", our_state(job) + ("" if known.is_submitted else ": its submit has no answer yet")
    yield "vendor says", problem or _state_text(state)
    yield "submitted", instant(known.requested_at)
    yield "items", f"{known.items:,}, of which {job.open:,} have no receipt"
    yield "fingerprint", known.fingerprint
    yield "trace", known.traceparent.split("-")[1] if known.traceparent.endswith("-01") else ""
    for lane, part in sorted(job.parts.items()):
        runs = runs_of(part, inputs)
        shown = ", ".join(f"{topic} {lane}/{first}-{last}" for topic, first, last in runs[:MAX_RUNS])
        more = f", and {len(runs) - MAX_RUNS:,} more runs" if len(runs) > MAX_RUNS else ""
        yield f"lane {lane}", f"{part.open:,} without a receipt: {shown}{more}"
    for lane, order in orders:
        result = f"{order.result}: {order.message}" if order.result else "waits for the writer of this lane"
        why = f" ({order.reason})" if order.reason else ""
        yield f"order, lane {lane}", f"{order.order} by {order.by}, {local_time(order.at)}{why}: {result}"


def _other_facts(job: VendorJob) -> Iterator[tuple[str, str]]:
    yield "vendor job", names(job.refs)
    yield "whose", "no record of ours waits for it"
    yield "batch key", job.batch_key
    yield "vendor says", job.word + ("" if job.over else ", it is not over")
    yield "items", "" if job.items is None else f"{job.items:,}"
    yield "made", instant(job.created_at)
    yield "made by", job.created_by


def _state_text(state: JobState | None) -> str:
    match state:
        case Running(word, processed):
            return f"{word}, {processed:,} items processed"
        case Over():
            text = f"{state.word}, {state.processed:,} items processed, {state.failed:,} of them failed"
            return f"{text}: {state.message}" if state.message else text
        case Gone(message):
            return f"it knows it no more: {message}"
        case None:
            return ""
