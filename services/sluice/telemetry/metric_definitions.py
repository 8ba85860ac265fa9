"""Every metric of a writer: what it measures, when its value is bad, and what to do then.

Each also has the label ``destination``. In the texts, backticks enclose values of the metric's own labels and commands
of ``sluice``; a word with a dot is a setting. A test looks each of them up.
"""

from collections.abc import Mapping
from typing import Any, Literal, NamedTuple

from sluice.destinations.contract import HoldReason, RequestStatus
from sluice.flow.batch import FlushReason
from sluice.flow.outcome import Fate

LaneLoss = Literal["fenced", "kafka", "opening"]
"""Why a lane was lost: it has a new owner, Kafka does not take its writes, or it could not be opened."""

ITEMS = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000)
BYTES = tuple(1024 * 4**power for power in range(9))  # 1 KiB to 64 MiB
SECONDS = (0.01, 0.025, 0.05, 0.1, 0.2, 0.4, 0.8, 1.5, 3, 6, 15, 30, 60)
DELIVERY_SECONDS = (0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 1, 1.5, 2.5, 5, 10, 30, 60, 300, 900, 3600, 14_400, 86_400)
"""From a batch in time to a record that waited through a night's outage."""


class Definition(NamedTuple):
    """Meaning of one metric, for people."""

    measures: str
    bad: str
    labels: Mapping[str, Any] = {}  # never changed
    """The type of each label's values; ``str`` where the set is open."""
    buckets: tuple[float, ...] = ()
    """Upper bounds, of a histogram."""

    @property
    def text(self) -> str:
        """The text beside the metric in the exposition."""
        return f"{self.measures} Bad: {self.bad}"


DEFINITIONS = {
    # Receipts.
    "sluice_outcomes": Definition(
        "Items by fate and by the vendor's code.",
        "a rising share of `rejected`; look at `sluice dead ls`. Any `ambiguous`: the vendor's answers get lost, see "
        "sluice_request_seconds by status.",
        {"fate": Fate, "code": str},
    ),
    "sluice_dead_letters": Definition(
        "Records moved to dead letters, by error class.",
        "more than a few; `sluice dead ls` groups them by reason, and they can be redriven when the reason is gone.",
        {"error_class": Fate},
    ),
    "sluice_publish_to_receipt_seconds": Definition(
        "Seconds from a record's Kafka timestamp to its receipt, waiting and retries included.",
        "above what you promise; with a backlog see sluice_runnable_backlog_records, without one window.max_age_s.",
        buckets=DELIVERY_SECONDS,
    ),
    "sluice_guard_stopped": Definition(
        "1 while the flood guard has stopped delivery.",
        "1; look at `sluice dead ls`, repair what makes records bad, then `sluice guard resume`. Nothing is lost "
        "meanwhile.",
    ),
    # Windows.
    "sluice_window_items": Definition(
        "Items of a closed window, by why it closed.",
        "small windows closed by `duplicate` (one key changes faster than the vendor answers) or by `age` while there "
        "is a backlog; raise window.max_age_s. By `pressure`: windows of many groups share the memory; raise "
        "delivery.max_buffered_items.",
        {"reason": FlushReason},
        ITEMS,
    ),
    "sluice_window_bytes": Definition(
        "Encoded bytes of a closed window, by why it closed.",
        "near the vendor's limit while windows close by `bytes`; the records are large, and batches hold fewer than "
        "they could.",
        {"reason": FlushReason},
        BYTES,
    ),
    # The vendor.
    "sluice_request_seconds": Definition(
        "Seconds from sending a request to its answer, by HTTP status or by why there is none.",
        "`429` and `503`; the vendor is busy. `ReadTimeout`: the vendor takes longer than to.timeout_s.",
        {"status": RequestStatus},
        SECONDS,
    ),
    "sluice_limiter_wait_seconds": Definition(
        "Seconds that a due batch waited for a permit to be sent.",
        "long while sluice_requests_in_flight is at sluice_concurrency_limit; the vendor is the bottleneck, and more "
        "writers will not help.",
        buckets=SECONDS,
    ),
    "sluice_concurrency_limit": Definition(
        "Requests that this writer may have in flight at present.",
        "far below delivery.max_concurrent_per_writer for long; the vendor pushes back, see sluice_request_seconds by "
        "status.",
    ),
    "sluice_requests_in_flight": Definition(
        "Requests sent and not answered.",
        "0 while there is a backlog and no hold.",
    ),
    "sluice_holds": Definition(
        "Times that delivery was put on hold because the vendor was unavailable, by reason.",
        "`auth`; check the destination's credentials. Nothing is lost in a hold.",
        {"reason": HoldReason},
    ),
    "sluice_held_seconds": Definition(
        "Seconds of these holds, counted when each begins; the holds of requests that fail together overlap.",
        "growing now; the vendor is down or refuses us.",
    ),
    # Records that wait.
    "sluice_runnable_backlog_records": Definition(
        "Records in the input topics that could be delivered now and are not; retries not yet due do not count.",
        "growing; scale the writer while the vendor has room, see sluice_limiter_wait_seconds.",
    ),
    "sluice_buffered_items": Definition(
        "Items in memory: in lanes, windows and batches.",
        "at delivery.max_buffered_items for long; the writer reads faster than the vendor accepts, which costs memory "
        "and nothing else.",
    ),
    "sluice_buffered_bytes": Definition(
        "Memory of these items, with their headers, what is sent of them, and their receipts until they are committed.",
        "at delivery.max_buffered_bytes for long; as sluice_buffered_items.",
    ),
    "sluice_waiting_retries": Definition(
        "Records that failed for now and wait in a retry topic, by topic.",
        "growing; see sluice_outcomes by code. They are tried again by themselves.",
        {"topic": str},
    ),
    "sluice_next_retry_seconds": Definition(
        "Seconds until the next of them is due, by topic; 0 when it is due or none waits.",
        "above the topic's delay; that cannot be, report it.",
        {"topic": str},
    ),
    "sluice_left_in_kafka_records": Definition(
        "Records that wait for an earlier one of their key and are left in Kafka for want of room in memory.",
        "growing; a few keys change faster than the vendor takes them one by one. Their neighbours go on as far as "
        "delivery.max_gap_per_lane allows.",
    ),
    "sluice_parked_keys": Definition(
        "Keys whose record waits in a retry topic; later records of the key wait for it.",
        "growing; as sluice_waiting_retries.",
    ),
    "sluice_misplaced_records": Definition(
        "Records among those sampled whose key murmur2 would put on another partition.",
        "any; a publisher has another partitioner, such as librdkafka's default, and keys that two publishers share "
        "are not applied in order. The log names a record, `sluice check` finds others.",
    ),
    "sluice_oldest_unsettled_seconds": Definition(
        "Age of the oldest item that was read and has no receipt yet.",
        "growing without a hold; one batch is stuck, and after a restart everything behind it is looked up again.",
    ),
    # Lanes.
    "sluice_lanes_owned": Definition(
        "Lanes that this writer owns.",
        "0 while others own many; there are more writers than lanes, or none are assigned yet.",
    ),
    "sluice_lanes_waiting": Definition(
        "Lanes that are this writer's and do not run: being opened, or refused by Kafka.",
        "above 0 for more than a few seconds; /readyz and the log name what Kafka refuses. Nothing of them is sent to "
        "the vendor meanwhile.",
    ),
    "sluice_lane_gap_records": Definition(
        "Largest distance, over the lanes, from the committed offset to the last one read.",
        "growing; as sluice_oldest_unsettled_seconds. Past delivery.max_gap_per_lane the lane reads no more until the "
        "oldest has its receipt; /status names it.",
    ),
    "sluice_vendor_jobs": Definition(
        "Batches that the vendor runs as jobs of its own, by state.",
        "`lost` for long; the vendor cannot be asked what became of a submit, see the log. If you know it, say so with "
        "`sluice vendor-jobs attach`. `over` growing; results are collected more slowly than jobs end. "
        "`sluice vendor-jobs ls` names each.",
        {"state": Literal["submitted", "lost", "over"]},
    ),
    "sluice_vendor_job_rows": Definition(
        "Records in vendor jobs that have no receipt yet.", "growing; the vendor is slower than what is published."
    ),
    "sluice_oldest_vendor_job_seconds": Definition(
        "Age of the oldest vendor job that is not settled.",
        "beyond what the vendor takes for a job; look at it with `sluice vendor-jobs show`. Nothing gives it up by "
        "itself: `sluice vendor-jobs abort` ends it, and `sluice vendor-jobs forget` what can never be known.",
    ),
    "sluice_vendor_job_polls": Definition(
        "Rounds of questions about vendor jobs.", "none for longer than delivery.poll_cap_s while jobs are submitted."
    ),
    "sluice_quota_remaining": Definition(
        "What is left of a budget that all programs share at this vendor account, by its name there.",
        "near 0; delivery will hold until the vendor grants more.",
        {"quota": str},
    ),
    "sluice_paused_partitions": Definition(
        "Partitions that are not read, by reason.",
        "`order` or `gap` for long; many records wait for a retry of their key, or one record stays open.",
        {"reason": str},
    ),
    "sluice_lanes_lost": Definition(
        "Lanes lost, by reason.",
        "`fenced` more often than writers are restarted; a writer stalls past its session timeout, look at its CPU and "
        "kafka.session_timeout_s.",
        {"reason": LaneLoss},
    ),
    "sluice_foreign_messages": Definition(
        "Messages in the topics of the journal and of the guard that are none of ours and are skipped, by topic.",
        "any; somebody else writes there. The log names their places: find the producer, and let writers alone write.",
        {"topic": str},
    ),
    "sluice_unread_records_deleted": Definition(
        "Offsets that Kafka's retention had deleted before a record there was read; found when a lane is opened.",
        "any; records are lost without a receipt. The log names the offsets: publish them anew, and keep the topic for "
        "longer than delivery may stand still.",
    ),
    "sluice_lane_restarts": Definition(
        "Times that this writer joined its group again, with all its lanes, after a failure.",
        "more than a few an hour; the log names the error.",
    ),
    # Commits.
    "sluice_commit_cycle_seconds": Definition(
        "Seconds of one commit cycle, a Kafka transaction.",
        "above 1; Kafka is slow, look at its brokers.",
        buckets=SECONDS,
    ),
    "sluice_commit_cycle_records": Definition(
        "Records written in one commit cycle: receipts, retries, journal entries.",
        "a few at a time under load; each transaction costs the same, however little it holds.",
        buckets=ITEMS,
    ),
}
