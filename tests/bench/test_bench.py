"""The benchmark's machinery, with a tiny input; no figure is judged here."""

import io
import re
import sys
from importlib.util import find_spec

import msgspec
import pytest
from rich.console import Console

from tests.bench.cases import Bench, Plan
from tests.bench.report import Report, show
from tests.bench.workload import RECORD_BYTES, message
from tests.support.kafka_admin import RunningKafka

HAS_BLOOMY = find_spec("bloomy") is not None


@pytest.mark.parametrize(
    ("case", "figures", "budgets", "runs"),
    [
        pytest.param("4-lanes-sampled", 9, 4, 2, id="writer and reference loop in turn"),
        pytest.param("flat", 3, 1, 3, id="growing input"),
        pytest.param("latency", 2, 1, 0, id="publish to receipt"),
        pytest.param("restart", 1, 1, 0, id="restart after a kill"),
        pytest.param("outage", 1, 1, 0, id="memory in an outage"),
        pytest.param("salesforce", 6, 3, 2, id="both bulk APIs of Salesforce"),
        pytest.param("salesforce-mixed", 2, 1, 0, id="eight objects in turn"),
        pytest.param("salesforce-held", 1, 1, 0, id="memory while jobs wait"),
        pytest.param("salesforce-stuck", 3, 2, 0, id="restart behind one job"),
        pytest.param("single-calls", 2, 1, 0, id="client and aiohttp in turn"),
        pytest.param("bloom-growth", 5 + HAS_BLOOMY, 1 + HAS_BLOOMY, 0, id="creates of Bloom Growth in turn"),
        pytest.param("liquid-upsert", 4, 2, 1, id="upserts of Liquid Decisions"),
        pytest.param("liquid-import", 4, 2, 1, id="imports that are read back"),
    ],
)
async def test_case_reports_its_figures_and_every_receipt(
    kafka: RunningKafka, case: str, figures: int, budgets: int, runs: int
) -> None:
    plan = Plan(
        records=3000, alternations=1, cases=[case], latency_seconds=0.5, outage_seconds=2, python=sys.executable
    )
    report = await Bench(kafka.bootstrap_servers, plan, lambda _: None).run()
    assert report.complete
    assert len(report.runs) == runs
    assert all(run.receipts.records == run.records for run in report.runs)
    assert [figure.case for figure in report.figures] == [case] * figures
    assert sum(figure.met is not None for figure in report.figures) == budgets


def test_missing_receipt_makes_the_report_incomplete() -> None:
    report = msgspec.json.decode(_REPORT, type=Report)
    assert not report.complete
    assert "without a receipt" in _printed(report)


def test_table_shows_each_figure_beside_its_budget() -> None:
    printed = _printed(msgspec.json.decode(_REPORT, type=Report))
    assert re.search(r"writer / reference loop +│ +0\.71 +│ +≥ 0\.7 +│ +✓", printed)


def test_record_has_the_size_that_the_budgets_name() -> None:
    _, value, headers = message(7, sampled_every=7)
    assert len(value) == RECORD_BYTES
    assert headers[0][1].endswith(b"-01")


def _printed(report: Report) -> str:
    console = Console(file=io.StringIO(), width=140, color_system=None)
    show(report, console)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


_REPORT = b"""{
  "machine": {"cores": 2, "memory_gib": 4, "python": "3.13.0", "system": "Linux x86_64"},
  "records": 10, "alternations": 1,
  "figures": [{"case": "4-lanes", "what": "writer / reference loop", "value": 0.71, "budget": "\\u2265 0.7",
               "met": true}],
  "runs": [{"contender": "writer", "lanes": 4, "records": 10, "receipts": {"total": 10, "records": 9}, "cpu_s": 1,
            "seconds": 1, "start_up_cpu_s": 1, "peak_rss_bytes": 1}]
}"""
