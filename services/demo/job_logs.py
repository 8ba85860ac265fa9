"""The vendor jobs of a run, read from the logs of all writers: their sizes, and what became of them over restarts."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec

from demo.processes import log_lines
from demo.screen import Screen
from demo.summary import new_table


class SubmittedBatch(msgspec.Struct):
    """A batch that a writer has handed over."""

    batch_id: str
    batch_key: str
    items: int


def print_job_logs(screen: Screen, logs: Sequence[Path], *, vendor: str) -> None:
    """Print them."""
    known = _submitted(logs, "batch submitted")
    lost = _submitted(logs, "batch submitted, its answer is lost")
    _print_sizes(screen, [batch for batches in (*known.values(), *lost.values()) for batch in batches])
    screen.print()
    screen.print(f"the restart: {_outlived(logs, known)} batches were submitted by one writer and collected by another")
    found = [line["found"] for log in logs for line in log_lines(log, "lost batch looked for")]
    screen.print(
        f"lost answers: {sum(map(len, lost.values()))}; looked for at {vendor}: {found.count('found')} found, "
        f"{found.count('not arrived')} proven not to have arrived"
    )


def _print_sizes(screen: Screen, batches: Sequence[SubmittedBatch]) -> None:
    sizes: dict[str, list[int]] = defaultdict(list)
    for batch in batches:
        sizes[batch.batch_key].append(batch.items)
    table = new_table("batches of", "batches", "records, least", "median", "most")
    for key, items in sorted(sizes.items()):
        items.sort()
        table.add_row(key, f"{len(items)}", f"{items[0]:,}", f"{items[len(items) // 2]:,}", f"{items[-1]:,}")
    screen.print(table)


def _submitted(logs: Sequence[Path], message: str) -> dict[Path, list[SubmittedBatch]]:
    return {log: msgspec.convert(log_lines(log, message), list[SubmittedBatch]) for log in logs}


def _outlived(logs: Sequence[Path], submitted: Mapping[Path, Sequence[SubmittedBatch]]) -> int:
    """Return how many batches another writer has collected than the one that submitted them."""
    collectors: dict[object, set[Path]] = defaultdict(set)
    for log in logs:
        for line in log_lines(log, "vendor job collected"):
            collectors[line["batch_id"]].add(log)
    return sum(bool(collectors[batch.batch_id] - {log}) for log, batches in submitted.items() for batch in batches)
