"""``POST /ls/api/batch/export``: items or the result of a query, as files behind links. liquid_decisions.md §10."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from sandbox.http.messages import Request, Response
from sandbox.liquid_decisions.community import Community
from sandbox.liquid_decisions.export_files import Content, ExportFiles
from sandbox.liquid_decisions.export_rows import csv_files, json_files
from sandbox.liquid_decisions.filters import Filters, matches, read_filters
from sandbox.liquid_decisions.forms import Form, flag, read_form, required
from sandbox.liquid_decisions.item_table import ItemTable
from sandbox.liquid_decisions.job import JobFailed, Work
from sandbox.liquid_decisions.jobs import Jobs
from sandbox.liquid_decisions.record_file import Format, format_of
from sandbox.liquid_decisions.refusal import Refusal
from sandbox.liquid_decisions.sql import open_query
from sandbox.liquid_decisions.sql_query import flat_rows, items_of, selected_serials
from sandbox.liquid_decisions.template import Template


class ExportRequest(NamedTuple):
    """Items to export, and their format."""

    table: ItemTable
    format: Format
    has_header: bool
    template: Template | None
    filters: Filters
    query: str | None


class Exports:
    """Submission of export jobs."""

    def __init__(self, jobs: Jobs, files: ExportFiles) -> None:
        self._jobs = jobs
        self._files = files

    def submit(self, request: Request, community: Community) -> Response:
        form = read_form(request)
        # Links are absolute, with the name under which the client reached the sandbox.
        origin = community.settings.links_origin or f"http://{request.header('host')}"
        return self._jobs.submit(
            request, community, form, lambda: self._prepare(form, community, origin), accepted_reason="waiting to run"
        )

    def _prepare(self, form: Form, community: Community, origin: str) -> Work:
        required(form, "jobName")
        query = form.get("sqlQuery")
        kind = format_of(form)
        export = ExportRequest(
            table=community.table(required(form, "itemType")),
            format=kind,
            has_header=flag(form, "rowHeader"),
            template=Template(form["template"]) if kind == "csv" and "template" in form else None,
            # With a query, filters are ignored, even bad ones. §10 [docs]
            filters=read_filters(form.get("filters", "")) if query is None else {},
            query=query,
        )
        return ExportWork(export, community, self._files, origin)


class ExportWork:
    """Work of an export: makes the files when it begins, and publishes them when it ends."""

    def __init__(self, request: ExportRequest, community: Community, files: ExportFiles, origin: str) -> None:
        self._settings = community.settings
        self._request = request
        self._community = community
        self._files = files
        self._origin = origin
        self._contents: list[Content] = []
        self._rows = 0

    def begin(self) -> int:
        try:
            self._contents = self._bounded(self._make())
        except Refusal as error:
            raise JobFailed(str(error)) from None
        return self._rows

    def advance(self, records: int, _: float) -> int:
        return records

    def finish(self, at: float) -> Sequence[str]:
        return [self._origin + path for path in self._files.keep(self._contents, at)]

    def _make(self) -> Iterator[Content]:
        if self._request.query is not None:
            return self._of_query(self._request.query)
        rows = (row for row in self._request.table.scan() if matches(self._request.filters, row.fields))
        if self._request.format == "json":
            return self._as_json(self._request.table.as_item(row) for row in rows)
        columns = list(self._request.table.fields.columns)
        return self._as_csv((row.fields for row in rows), columns)

    def _of_query(self, query: str) -> Iterator[Content]:
        """Yield items when the query selects ``h_id``, else flat rows; as CSV the selected columns. [assumed]"""
        with open_query(self._community.database, query, self._settings.sql_timeout_s) as selected:
            if self._request.format == "csv":
                yield from self._as_csv(flat_rows(*selected), selected.columns)
                return
            if "h_id" not in selected.columns:
                yield from self._as_json(flat_rows(*selected))
                return
            serials = selected_serials(*selected)
        yield from self._as_json(items_of(self._request.table, serials, with_blocks=True))

    def _as_json(self, found: Iterator[object]) -> Iterator[Content]:
        return json_files(self._counted(found), self._settings.records_per_file)

    def _as_csv(self, found: Iterator[Mapping[str, Any]], columns: Sequence[str]) -> Iterator[Content]:
        request = self._request
        return csv_files(
            self._counted(found),
            columns,
            self._settings.records_per_file,
            template=request.template,
            has_header=request.has_header,
            in_each_file=self._settings.header_in_each_file,
        )

    def _counted(self, found: Iterator[Any]) -> Iterator[Any]:
        for row in found:
            self._rows += 1
            yield row

    def _bounded(self, contents: Iterator[Content]) -> list[Content]:
        kept = []
        length = 0
        for content in contents:
            kept.append(content)
            length += len(content.body)
            if length > self._settings.max_export_bytes:
                raise JobFailed(f"the export is longer than {self._settings.max_export_bytes} bytes")
        return kept
