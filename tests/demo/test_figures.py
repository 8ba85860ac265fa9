"""Figures of several writers, added up."""

from demo.figures import Figures, VendorJob, sum_of


def figures(jobs: dict[str, VendorJob], failures: int = 0) -> Figures:
    """Return the figures of a writer with 2 requests in flight."""
    return Figures(
        receipts=0,
        by_code={},
        dead_letters=0,
        windows={},
        windowed={},
        in_flight=2,
        max_in_flight=4,
        buffered=10,
        failures=failures,
        held_for_s=0.0,
        vendor_jobs=jobs,
    )


def test_a_job_of_two_writers_is_one_job_with_the_records_of_both() -> None:
    both = sum_of([figures({"a": VendorJob("Queued", 3)}), figures({"a": VendorJob("Queued", 4)})])
    assert both.vendor_jobs == {"a": VendorJob("Queued", 7)}
    assert (both.at_vendor, both.in_flight, both.max_in_flight) == (7, 4, 8)


def test_the_vendor_is_unavailable_when_one_writer_says_so() -> None:
    assert sum_of([figures({}), figures({}, failures=2)]).is_holding


def test_writers_of_a_vendor_without_jobs_have_none() -> None:
    one = figures({})._replace(vendor_jobs=None)
    assert sum_of([one, one]).vendor_jobs is None


def test_no_writers_have_no_jobs() -> None:
    assert sum_of([]).at_vendor == 0
