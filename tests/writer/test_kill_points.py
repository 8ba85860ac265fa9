"""Kill points: whoever listens is told of each, at once."""

from sluice.writer import kill_points
from sluice.writer.kill_points import KillPoint


def test_listener_is_told_of_each_point_that_is_passed() -> None:
    seen: list[KillPoint] = []
    kill_points.listen(seen.append)
    for point in KillPoint:
        kill_points.at(point)
        assert seen[-1] is point
    assert seen == list(KillPoint)
