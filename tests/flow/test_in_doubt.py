"""InDoubtOffsets: each offset with the batch that it was sent in last."""

from hypothesis import given, settings
from hypothesis import strategies as st

from sluice.flow.batch import InDoubt
from sluice.flow.in_doubt import InDoubtOffsets
from tests.support.factories import NOON

BATCHES = [InDoubt(batch_id=f"b{number}", refs={}, requested_at=NOON, lost_at_s=0.0) for number in range(3)]
OFFSETS = st.sets(st.integers(0, 12), max_size=6).map(sorted)


@given(st.lists(st.tuples(st.sampled_from([*BATCHES, None]), OFFSETS), max_size=10))
@settings(max_examples=100, deadline=None)
def test_offset_is_in_doubt_in_its_last_batch_until_it_is_forgotten(
    changes: list[tuple[InDoubt | None, list[int]]],
) -> None:
    in_doubt, plain = InDoubtOffsets(), dict[int, InDoubt]()
    for batch, offsets in changes:
        if batch is None:
            in_doubt.remove(offsets)
            plain = {offset: sent_in for offset, sent_in in plain.items() if offset not in offsets}
        else:
            in_doubt.add(batch, offsets)
            plain.update(dict.fromkeys(offsets, batch))
        assert [in_doubt.batch_of(offset) for offset in range(13)] == [plain.get(offset) for offset in range(13)]
        assert (len(in_doubt), bool(in_doubt)) == (len(plain), bool(plain))
