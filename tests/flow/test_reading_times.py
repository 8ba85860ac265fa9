"""ReadingTimes: the age of an open offset is known, however long it stays open."""

from sluice.flow.reading_times import MAX_READINGS, ReadingTimes


def test_time_of_an_offset_is_that_of_its_poll() -> None:
    times = ReadingTimes()
    for offset, now_s in ((0, 1.0), (10, 2.0), (20, 3.0)):
        times.note(offset, now_s)
    assert [times.of(offset) for offset in (0, 9, 10, 25)] == [1.0, 1.0, 2.0, 3.0]
    assert times.of(None) is None


def test_times_behind_an_open_offset_are_thinned_out_and_never_too_late() -> None:
    times = ReadingTimes()
    for poll in range(10 * MAX_READINGS):
        times.note(poll, float(poll))
    assert len(times._readings) <= MAX_READINGS
    found = [times.of(offset) for offset in range(0, 10 * MAX_READINGS, 100)]
    assert all(
        at is not None and at <= offset for at, offset in zip(found, range(0, 10 * MAX_READINGS, 100), strict=True)
    )
    assert found[0] == 0.0
