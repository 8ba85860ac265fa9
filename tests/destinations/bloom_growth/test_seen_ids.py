"""Ids that were seen, by kind."""

from sluice.destinations.bloom_growth.seen_ids import SeenIds
from tests.support.factories import make_item


def test_the_newest_of_each_kind_is_known() -> None:
    seen = SeenIds()
    for kind, id_ in (("issue", 5), ("issue", 3), ("todo", 9)):
        seen.saw(kind, id_)
    seen.credit("goal", 7, make_item())
    assert seen.newest == {"issue": "5", "todo": "9", "goal": "7"}


def test_a_record_is_credited_within_its_kind_and_the_oldest_is_forgotten() -> None:
    seen = SeenIds(max_credited=2)
    for id_ in (1, 2, 3):
        seen.credit("issue", id_, make_item(id_))
    assert [seen.is_credited("issue", id_) for id_ in (1, 2, 3)] == [False, True, True]
    assert not seen.is_credited("todo", 2)
    assert [seen.made_by(make_item(id_)) for id_ in (1, 2, 3)] == [None, 2, 3]


def test_a_redriven_item_has_made_nothing_yet() -> None:
    seen = SeenIds()
    first, redriven = make_item(1), make_item(9)
    redriven.event, redriven.source, redriven.identifier = first.event, first.source, first.identifier
    seen.credit("issue", 5, first)
    assert (seen.made_by(first), seen.made_by(redriven)) == (5, None)
