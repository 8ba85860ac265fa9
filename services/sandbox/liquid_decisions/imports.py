"""``POST /ls/api/batch/import``: a file of records, written by a job. liquid_decisions.md §7."""

from collections.abc import Mapping, Sequence
from itertools import islice

from sandbox.faults.board import FaultBoard
from sandbox.http.messages import Request, Response
from sandbox.http.multipart import Parts, read_parts
from sandbox.liquid_decisions.community import Community
from sandbox.liquid_decisions.forms import Form, flag, required
from sandbox.liquid_decisions.item import Entry, rejected
from sandbox.liquid_decisions.item_table import ItemTable
from sandbox.liquid_decisions.job import JobFailed, Work
from sandbox.liquid_decisions.jobs import Jobs
from sandbox.liquid_decisions.record_file import Record, RecordFile, format_of, read_csv, read_json
from sandbox.liquid_decisions.refusal import Refusal
from sandbox.liquid_decisions.template import Template
from sandbox.liquid_decisions.writer import Source, late_s

_ENDPOINT = "POST /ls/api/batch/import"
"""Name of the call in the ledger"""
_ACTIONS = ("Create", "Merge", "Update", None)


class Imports:
    """Submission of import jobs."""

    def __init__(self, jobs: Jobs, faults: FaultBoard) -> None:
        self._jobs = jobs
        self._faults = faults

    def submit(self, request: Request, community: Community) -> Response:
        """Refuse an unreadable multipart or a missing file with 400; any other mistake is a job ``Rejected``."""
        most = community.settings.max_import_bytes
        if most is not None and len(request.body) > most:
            raise Refusal(f"expected at most {most} bytes", error="too_large", status=413)
        parts = _read_parts(request)
        if "file" not in parts:
            raise Refusal("the part file is missing")
        texts = {name: part.decode("utf-8", "replace") for name, part in parts.items() if name != "file"}
        form = {name: text for name, text in texts.items() if text}
        return self._jobs.submit(
            request,
            community,
            form,
            lambda: self._prepare(request, community, form, parts),
            accepted_reason="file stored, waiting to run",
        )

    def _prepare(self, request: Request, community: Community, form: Form, parts: Parts) -> Work:
        required(form, "jobName")
        table = community.table(required(form, "itemType"))
        merges, has_header = flag(form, "merge"), flag(form, "headerRow")
        if format_of(form) == "json":
            file = read_json(parts["file"])  # Ignore a template: the script sends one for JSON too. §14 [client]
        else:
            template = Template(form["template"]) if "template" in form else None
            kinds = table.item_type.fields or {}
            file = read_csv(parts["file"], has_header=has_header, template=template, kinds=kinds)
        most = community.settings.max_import_records
        if most is not None and file.total > most:
            raise Refusal(f"file: expected at most {most} records, got {file.total}")
        action = "Merge" if merges else "Update"
        source = Source(request.number, _ENDPOINT, late_s=late_s(community.settings, self._faults, request))
        return ImportWork(community, table, file, action, source)


class ImportWork:
    """Work of an import: writes the records of a file, a slice at a time."""

    def __init__(self, community: Community, table: ItemTable, file: RecordFile, action: str, source: Source) -> None:
        self._settings = community.settings
        self._writer = community.writer
        self._type = table.item_type.name
        self._file = file
        self._action = action
        self._source = source

    def begin(self) -> int:
        return self._file.total

    def advance(self, records: int, at: float) -> int:
        """Write a slice. A bad record is not counted; settings make it count, or fail the job. §7, §12 [assumed]"""
        entries = [self._entry(record) for record in islice(self._file.records, records)]
        source = self._source._replace(at=at)
        if self._settings.import_fails_on_bad_record:
            return self._write_until_bad(entries, source)
        outcomes = self._writer.write(entries, source)
        if self._settings.import_counts_refused:
            return records
        return sum(outcome.message is None for outcome in outcomes)

    def finish(self, _: float) -> Sequence[str]:
        return ()

    def _write_until_bad(self, entries: Sequence[Entry], source: Source) -> int:
        for done, entry in enumerate(entries):
            [outcome] = self._writer.write([entry], source)
            if outcome.message is not None:
                raise JobFailed(f"{outcome.effect}: {outcome.message}", done)
        return len(entries)

    def _entry(self, record: Record) -> Entry:
        """Return an item's or a bare data object's entry. ``merge`` overrides any action but Delete. [assumed]"""
        mine = {"type": self._type}
        if record is None:
            return Entry(mine, {}, self._action, rejected("Unreadable", "the record is no object"))
        if "headers" not in record:
            return Entry(mine, record, self._action)
        headers, data = record["headers"], record.get("data")
        if not isinstance(headers, dict) or not isinstance(data, dict):
            return Entry(mine, {}, self._action, rejected("Unreadable", "headers and data must be objects"))
        if headers.get("type", self._type) != self._type:
            return Entry(headers, data, self._action, rejected("UnknownType", f"the job is for {self._type}"))
        return Entry({**headers, **mine}, data, self._action_of(headers))

    def _action_of(self, headers: Mapping[str, object]) -> object:
        action = headers.get("action")
        return self._action if action in _ACTIONS else action


def _read_parts(request: Request) -> Parts:
    """Read the parts. A template may be a file, as published code sends it, or a plain field. §7 [client] form"""
    try:
        return read_parts(request.header("content-type"), request.body)
    except ValueError as error:
        raise Refusal(f"the multipart body cannot be read: {error}") from None
