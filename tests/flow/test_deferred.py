"""DeferredFollowers: a key knows where to look for what it has left, and forgets it when all is taken."""

from sluice.flow.deferred import DeferredFollowers


def _leave(**offsets: list[int]) -> DeferredFollowers:
    deferred = DeferredFollowers()
    for offset, key in sorted((one, key.encode()) for key, ones in offsets.items() for one in ones):
        deferred.add(key, offset)
    return deferred


def test_only_what_hungry_keys_can_have_left_is_wanted() -> None:
    deferred = _leave(a=[10, 20], b=[5_000, 9_000])
    assert deferred.wanted() == []
    deferred.hungry.add(b"a")
    assert deferred.wanted() == [range(10, 21)]
    deferred.hungry.add(b"b")
    assert [(one.start, one.stop) for one in deferred.wanted()] == [(10, 2048), (4096, 6144), (8192, 9001)]


def test_key_that_has_taken_all_it_left_is_forgotten() -> None:
    deferred = _leave(a=[10, 20])
    deferred.hungry.add(b"a")
    deferred.take(b"a", 10)
    assert deferred.spans == {b"a": range(11, 21)}
    deferred.take(b"a", 20)
    assert (deferred.spans, deferred.hungry, len(deferred.offsets)) == ({}, set(), 0)


def test_key_takes_nothing_from_beyond_what_it_has_not_looked_at_yet() -> None:
    deferred = _leave(a=[10, 20], b=[15])
    deferred.hungry |= {b"a", b"b"}
    assert deferred.seekers(range(12, 21)) == {b"b"}
    deferred.looked([b"b"], 21)
    assert deferred.spans == {b"a": range(10, 21)}


def test_key_without_room_is_hungry_no_more_and_knows_where_to_go_on() -> None:
    deferred = _leave(a=[10, 20, 30])
    deferred.hungry.add(b"a")
    deferred.take(b"a", 10)
    deferred.sate(b"a", 20)
    assert (deferred.hungry, deferred.spans) == (set(), {b"a": range(20, 31)})
