"""``sluice vendor-jobs collect``, ``abort``, ``attach`` and ``forget``: orders to the writers that own a job's records.

1. Find the batch in the journals: these also tell in which lanes an order must stand.
2. Show what would be done; with ``--yes`` write the order for each lane.
3. Wait for the results, unless no writer runs: then the order waits for one.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal, NamedTuple
from uuid import uuid4

import click
import msgspec

from sluice.cli.exits import CommandFailed, Exit
from sluice.cli.person import stated, user_name
from sluice.cli.terminal import counted, printable
from sluice.cli.vendor_jobs.opening import Opened, find_listed, find_ours, open_jobs, unknown_job
from sluice.cli.vendor_jobs.text import names, other_json
from sluice.destinations.vendor_jobs import VendorJob
from sluice.events import VendorJobOrder
from sluice.vendor_jobs.journals import OpenJob, count_writers, read_open_jobs
from sluice.vendor_jobs.orders import await_results, write_orders
from sluice.vendor_jobs.survey import sharing_jobs
from sluice.wall_clock import utc_now

Kind = Literal["collect", "abort", "attach", "forget"]
Given = Sequence[tuple[int, VendorJobOrder]]
Command = Callable[..., None]


class Request(NamedTuple):
    """An order as the command line has it."""

    destination: str
    word: str
    kind: Kind
    refs: Mapping[str, str]
    reason: str
    yes: bool
    wait_s: float
    as_json: bool


_WAIT = click.option(
    "--wait", "wait_s", type=click.FloatRange(min=0), metavar="SECONDS", default=30.0, show_default=True,
    help="How long to wait for the writer's answer.",
)  # fmt: skip
_YES = click.option("--yes", is_flag=True, help="Give the order; without this nothing is changed.")
_JSON = click.option("--json", "as_json", is_flag=True, help="Print one JSON object a line, for each batch.")
_REASON = click.option("--reason", metavar="TEXT", required=True, help="Why; it stands in the dead letters.")


@click.command()
@click.argument("destination")
@click.argument("job", metavar="BATCH_ID|JOB_ID")
@_WAIT
@_JSON
@click.pass_obj
def collect(config: str, destination: str, job: str, wait_s: float, as_json: bool) -> None:
    """Ask the vendor about a job of DESTINATION now, and collect its results if it is over.

    The writer does that by itself, only later.
    """
    _run(config, Request(destination, job, "collect", {}, "", True, wait_s, as_json))


@click.command()
@click.argument("destination")
@click.argument("job", metavar="BATCH_ID|JOB_ID")
@_REASON
@_YES
@_WAIT
@_JSON
@click.pass_obj
def abort(config: str, destination: str, job: str, reason: str, yes: bool, wait_s: float, as_json: bool) -> None:
    """End a job of DESTINATION at the vendor.

    What the vendor has applied stays, and gets its receipts. Everything else becomes dead letters of class cancelled,
    which can be redriven. A job that is not ours, by the vendor's id, is ended at the vendor alone.
    """
    reason = stated(reason, "why the job must not go on")
    _run(config, Request(destination, job, "abort", {}, reason, yes, wait_s, as_json))


@click.command()
@click.argument("destination")
@click.argument("batch", metavar="BATCH_ID")
@click.option("--ref", "refs", metavar="NAME=ID", multiple=True, required=True, help="A name of the vendor's, job=…")
@_YES
@_WAIT
@_JSON
@click.pass_obj
def attach(
    config: str, destination: str, batch: str, refs: tuple[str, ...], yes: bool, wait_s: float, as_json: bool
) -> None:
    """Tell which job of the vendor a batch of DESTINATION became whose submit has no answer.

    Its results are taken for those of the batch. Give all names that `ls` shows for other batches, such as --ref job=…
    --ref batch=….
    """
    named = dict(_parse_ref(ref) for ref in refs)
    _run(config, Request(destination, batch, "attach", named, "", yes, wait_s, as_json))


@click.command()
@click.argument("destination")
@click.argument("job", metavar="BATCH_ID|JOB_ID")
@_REASON
@_YES
@_WAIT
@_JSON
@click.pass_obj
def forget(config: str, destination: str, job: str, reason: str, yes: bool, wait_s: float, as_json: bool) -> None:
    """Give a job of DESTINATION up of which nobody will ever know what it has applied.

    Its records without a receipt become dead letters of class ambiguous, which name you and the reason. A job that the
    vendor still runs is not forgotten: abort it first.
    """
    reason = stated(reason, "why it can never be known")
    _run(config, Request(destination, job, "forget", {}, reason, yes, wait_s, as_json))


def _parse_ref(text: str) -> tuple[str, str]:
    name, _, value = text.partition("=")
    if not name or not value:
        raise click.BadParameter(f"expected NAME=ID such as job=7503h00000AbCdE, got {text!r}", param_hint="--ref")
    return name, value


def _run(config: str, request: Request) -> None:
    if not asyncio.run(_give(config, request)):
        raise click.exceptions.Exit(Exit.SOME_FAILED)


async def _give(config: str, request: Request) -> bool:
    """Carry ``request`` out; return whether nothing has failed."""
    async with open_jobs(config, request.destination) as opened:
        ours = await read_open_jobs(opened.site)
        job = find_ours(ours, request.word, is_any_enough=request.kind == "abort")
        if job is not None:
            return await _order(opened, request, _together(ours, job, request.kind))
        listed = await find_listed(opened.account, request.word) if request.kind == "abort" else None
        if listed is None:
            raise unknown_job(request.destination, request.word, ours)
        await _abort_other(opened, request, listed)
        return True


def _together(ours: Sequence[OpenJob], job: OpenJob, kind: Kind) -> Sequence[OpenJob]:
    """Return the batches that an order concerns: a vendor may end several only together."""
    if kind != "abort" or not job.known.refs:
        return [job]
    return [job, *(one for one in sharing_jobs(ours, job.known.refs) if one.batch_id != job.batch_id)]


async def _order(opened: Opened, request: Request, jobs: Sequence[OpenJob]) -> bool:
    given = [one for job in jobs for one in _orders(request, job)]
    if not request.yes:
        for job in jobs:
            _print_plan(request, job)
        if not request.as_json:
            click.echo("nothing was changed: --yes gives the order")
        return True
    site = opened.site
    await write_orders(site.kafka, site.topics.control, given)
    is_awaited = await count_writers(site) > 0
    results = await await_results(site.kafka, site.topics.control, given, request.wait_s) if is_awaited else {}
    for job in jobs:
        own = {lane: result for (lane, batch_id), result in results.items() if batch_id == job.batch_id}
        _print_results(request, job, own, is_awaited=is_awaited)
    return all(result.result == "done" for result in results.values())


def _orders(request: Request, job: OpenJob) -> Given:
    order = VendorJobOrder(
        batch_id=job.batch_id,
        order=request.kind,
        order_id=uuid4().hex,
        refs=dict(request.refs),
        reason=request.reason,
        by=user_name(),
        at=utc_now(),
    )
    return [(lane, order) for lane in sorted(job.parts)]


def _print_plan(request: Request, job: OpenJob) -> None:
    if request.as_json:
        _print_json(request, {"batch_id": job.batch_id, "vendor_job": job.known.refs, "unsettled": job.open})
        return
    what = f"{request.kind} {job.batch_id} ({names(job.known.refs)})"
    to = f" to {names(request.refs)}" if request.refs else ""
    click.echo(printable(f"would {what}{to}: {counted(job.open, 'record')} without a receipt"))


def _print_results(request: Request, job: OpenJob, results: Mapping[int, VendorJobOrder], *, is_awaited: bool) -> None:
    waiting = [lane for lane in sorted(job.parts) if lane not in results]
    if request.as_json:
        answers = [
            {"lane": lane, "result": one.result, "message": one.message} for lane, one in sorted(results.items())
        ]
        _print_json(request, {"batch_id": job.batch_id, "results": answers, "waiting_lanes": waiting})
        return
    said: dict[tuple[str, str], list[int]] = {}
    for lane, one in sorted(results.items()):
        said.setdefault((one.result or "", one.message), []).append(lane)
    for (result, message), lanes in said.items():
        where = "" if len(lanes) == len(job.parts) else f" in lane {', '.join(map(str, lanes))}"
        colour = "red" if result == "failed" else "green"
        click.secho(printable(f"{request.kind} {job.batch_id}{where}: {result}: {message}"), fg=colour)
    if waiting:
        lanes_text = ", ".join(map(str, waiting))
        click.echo(f"{request.kind} {job.batch_id}: the order waits in lane {lanes_text}: {_why(request, is_awaited)}")


def _why(request: Request, is_awaited: bool) -> str:
    look = f"`sluice vendor-jobs show {request.destination}` with the batch's id shows it"
    if not is_awaited:
        return f"no writer of {request.destination} runs, and the next one carries it out; {look}"
    return f"no answer within {request.wait_s:g} s, and it stands until its writer has one; {look}"


async def _abort_other(opened: Opened, request: Request, job: VendorJob) -> None:
    """End a job that no journal knows, at the vendor."""
    if job.over:
        raise CommandFailed(f"{names(job.refs)} is over already: the vendor says {job.word}", Exit.USAGE)
    if request.yes:
        await opened.account.abort(job.refs)
    if request.as_json:
        _print_json(request, {"batch_id": None, **other_json(job, "other")})
        return
    made_by = f", made by {job.created_by}" if job.created_by else ""
    what = printable(f"{names(job.refs)}, which is not ours{made_by}: the vendor says {job.word}")
    click.echo(f"aborted {what}" if request.yes else f"would abort {what}\nnothing was changed: --yes gives the order")


def _print_json(request: Request, fields: Mapping[str, Any]) -> None:
    click.echo(msgspec.json.encode({"order": request.kind, "given": request.yes, **fields}))
