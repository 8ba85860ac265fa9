"""The metrics of a writer, as Prometheus scrapes them."""

from prometheus_client.parser import text_string_to_metric_families

from sluice.flow.outcome import Fate
from sluice.telemetry.metric_definitions import DEFINITIONS
from sluice.telemetry.metrics import MAX_CODES, WriterMetrics
from sluice.writer.pauses import PauseReason


def samples(metrics: WriterMetrics, name: str, label: str) -> dict[str, float]:
    """The samples called ``name``, by the value of one of their labels."""
    families = text_string_to_metric_families(metrics.exposition().decode())
    found = [sample for family in families for sample in family.samples if sample.name == name]
    return {sample.labels[label]: sample.value for sample in found}


def test_every_sample_names_the_destination() -> None:
    for family in text_string_to_metric_families(WriterMetrics("crm").exposition().decode()):
        assert all(sample.labels["destination"] == "crm" for sample in family.samples)


def test_every_metric_is_shown_with_its_advice() -> None:
    families = text_string_to_metric_families(WriterMetrics("crm").exposition().decode())
    shown = {family.name: family.documentation for family in families if family.name.startswith("sluice_")}
    assert shown == {name: definition.text for name, definition in DEFINITIONS.items()}


def test_two_writers_in_one_process_do_not_share_anything() -> None:
    first, second = WriterMetrics("crm"), WriterMetrics("crm")
    first.items_settled({(Fate.DELIVERED, "CREATED"): 1})
    assert samples(second, "sluice_outcomes_total", "code") == {}


def test_outcomes_are_counted_by_fate_and_code() -> None:
    metrics = WriterMetrics("crm")
    metrics.items_settled({(Fate.DELIVERED, "CREATED"): 990, (Fate.REJECTED, "INVALID"): 10})
    metrics.items_settled({(Fate.DELIVERED, "CREATED"): 5})
    assert samples(metrics, "sluice_outcomes_total", "code")["CREATED"] == 995
    assert samples(metrics, "sluice_outcomes_total", "code")["INVALID"] == 10


def test_codes_past_the_limit_are_counted_as_other() -> None:
    metrics = WriterMetrics("crm")
    metrics.items_settled({(Fate.REJECTED, f"CODE_{number}"): 1 for number in range(MAX_CODES + 7)})
    metrics.items_settled({(Fate.REJECTED, "CODE_0"): 1})
    assert samples(metrics, "sluice_outcomes_total", "code")["other"] == 7
    assert samples(metrics, "sluice_outcomes_total", "code")["CODE_0"] == 2


def test_a_window_is_observed_under_its_flush_reason() -> None:
    metrics = WriterMetrics("crm")
    metrics.window_closed("age", 17, 5000)
    assert samples(metrics, "sluice_window_items_sum", "reason") == {"age": 17}
    assert samples(metrics, "sluice_window_bytes_sum", "reason") == {"age": 5000}


def test_a_reason_for_pausing_that_is_gone_is_no_longer_shown() -> None:
    metrics = WriterMetrics("crm")
    metrics.partitions_paused({PauseReason.BACKLOG: 3, PauseReason.ORDER: 1})
    metrics.partitions_paused({PauseReason.ORDER: 2})
    assert samples(metrics, "sluice_paused_partitions", "reason") == {"order": 2}


def test_a_gauge_can_be_read_at_scrape_time() -> None:
    metrics, waiting = WriterMetrics("crm"), [1, 2, 3]
    metrics.buffered_items.set_function(lambda: len(waiting))
    waiting.append(4)
    assert samples(metrics, "sluice_buffered_items", "destination") == {"crm": 4}
