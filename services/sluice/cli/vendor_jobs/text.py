"""Vendor jobs as lines for people, and as JSON objects for programs."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

import click
import msgspec

from sluice.cli.terminal import fitted, local_time, printable
from sluice.destinations.vendor_jobs import Gone, JobState, Over, Running, VendorJob
from sluice.events import VendorJobOrder
from sluice.vendor_jobs.journals import OpenJob
from sluice.vendor_jobs.survey import OtherJob
from sluice.wall_clock import utc_now

COLUMNS = ("whose", "batch", "vendor job", "batch key", "state", "vendor says", "items", "open", "age", "lanes")
AMOUNTS = {"items", "open", "age"}
"""Columns that stand to the right."""


def print_table(rows: Sequence[Sequence[str]]) -> None:
    """Print ``rows`` below the names of the columns."""
    table = [COLUMNS, *([printable(cell) for cell in row] for row in rows)]
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    for row in table:
        cells = [
            cell.rjust(width) if name in AMOUNTS else cell.ljust(width)
            for name, cell, width in zip(COLUMNS, row, widths, strict=True)
        ]
        click.secho(fitted("  ".join(cells).rstrip()), dim=row is COLUMNS)


def our_cells(job: OpenJob, state: JobState | None) -> Sequence[str]:
    """Return the line of one of our jobs."""
    known = job.known
    word, _ = _said(state)
    lanes = ",".join(map(str, sorted(job.parts)))
    counts = (f"{known.items:,}", f"{job.open:,}", age(known.requested_at))
    return ("ours", job.batch_id, names(known.refs), known.batch_key, our_state(job), word or "-", *counts, lanes)


def other_cells(other: OtherJob) -> Sequence[str]:
    """Return the line of a job of which no journal holds open records."""
    job = other.job
    items = "-" if job.items is None else f"{job.items:,}"
    made = "-" if job.created_at is None else age(job.created_at)
    state = "over" if job.over else "not over"
    return (other.whose, "-", names(job.refs), job.batch_key or "-", state, job.word, items, "-", made, "-")


def our_json(job: OpenJob, state: JobState | None) -> dict[str, Any]:
    """Return one of our jobs with the names that the writer's status has."""
    known = job.known
    word, processed = _said(state)
    return {
        "whose": "ours",
        "batch_id": job.batch_id,
        "batch_key": known.batch_key,
        "vendor_job": known.refs,
        "state": our_state(job),
        "vendor_state": word,
        "processed": processed,
        "items": known.items,
        "unsettled": job.open,
        "lanes": sorted(job.parts),
        "requested_at": known.requested_at,
    }


def other_json(job: VendorJob, whose: str) -> dict[str, Any]:
    """Return a job of the vendor's list likewise."""
    return {
        "whose": whose,
        "batch_id": None,
        "batch_key": job.batch_key,
        "vendor_job": job.refs,
        "state": "over" if job.over else "not over",
        "vendor_state": job.word,
        "processed": job.items,
        "created_at": job.created_at,
        "created_by": job.created_by,
    }


def order_json(lane: int, order: VendorJobOrder) -> dict[str, Any]:
    """Return an order, with the lane that it is about and its result if there is one."""
    return {"lane": lane, **msgspec.to_builtins(order)}


def our_state(job: OpenJob) -> str:
    """Return ``lost`` as long as it is not known whether the vendor has it."""
    return "submitted" if job.known.is_submitted else "lost"


def names(refs: Mapping[str, str]) -> str:
    """Return the vendor's names for a job."""
    return " ".join(f"{name}={value}" for name, value in refs.items()) or "-"


def age(since: datetime) -> str:
    """Return how long ago ``since`` is, to two digits or so."""
    seconds = max(0, int((utc_now() - since).total_seconds()))
    for unit, size in (("d", 86_400), ("h", 3_600), ("m", 60)):
        if seconds >= 2 * size:
            return f"{seconds // size}{unit}"
    return f"{seconds}s"


def print_facts(facts: Iterable[tuple[str, str]]) -> None:
    """Print one line for each fact that there is."""
    lines = [(name, printable(text)) for name, text in facts if text]
    width = max(len(name) for name, _ in lines)
    for name, text in lines:
        click.echo(f"{click.style(f'{name:<{width}}', dim=True)}  {text}")


def instant(at: datetime | None) -> str:
    """Return ``at`` with its age; empty for ``None``."""
    return "" if at is None else f"{local_time(at)}, {age(at)} ago"


def _said(state: JobState | None) -> tuple[str | None, int | None]:
    """Return the vendor's word, and the items that it has gone through."""
    match state:
        case Running(word, processed):
            return word, processed
        case Over():
            return state.word, state.processed
        case Gone():
            return "gone", None
        case None:
            return None, None
