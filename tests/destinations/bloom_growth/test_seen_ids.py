"""Ids that were seen, by kind."""

from sluice.destinations.bloom_growth.seen_ids import SeenIds


def test_the_newest_of_each_kind_is_known() -> None:
    seen = SeenIds()
    for kind, id_ in (("issue", 5), ("issue", 3), ("todo", 9)):
        seen.saw(kind, id_)
    seen.credit("goal", 7)
    assert seen.newest == {"issue": "5", "todo": "9", "goal": "7"}


def test_a_record_is_credited_within_its_kind_and_the_oldest_is_forgotten() -> None:
    seen = SeenIds(max_credited=2)
    for id_ in (1, 2, 3):
        seen.credit("issue", id_)
    assert [seen.is_credited("issue", id_) for id_ in (1, 2, 3)] == [False, True, True]
    assert not seen.is_credited("todo", 2)
