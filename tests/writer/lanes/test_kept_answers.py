"""KeptAnswers: kept by lane, counted as held in memory, given back once."""

from sluice.writer.lanes.buffer import Buffer
from sluice.writer.lanes.kept_answers import KeptAnswers
from tests.support.factories import DELIVERED, NOON, make_item, make_items
from tests.support.fakes import BUFFER_LIMITS, BUILDER, make_answer


def test_answers_count_as_held_until_they_are_taken() -> None:
    buffer = Buffer(BUFFER_LIMITS)
    answers = KeptAnswers(buffer)
    first, second = make_answer(make_items(2), DELIVERED, DELIVERED), make_answer(make_items(1), DELIVERED)
    answers.keep(0, [first])
    answers.keep(0, [second])
    answers.keep(1, [second])
    assert (len(answers), buffer.items) == (4, 4)
    assert answers.take(0) == [first, second]
    assert answers.take(0) == []
    assert (len(answers), buffer.items) == (1, 1)


def test_answers_of_lanes_that_others_have_are_forgotten() -> None:
    buffer = Buffer(BUFFER_LIMITS)
    answers = KeptAnswers(buffer)
    for lane in range(3):
        answers.keep(lane, [make_answer(make_items(1, lane=lane), DELIVERED)])
    answers.keep_only([1])
    assert ([len(answers.take(lane)) for lane in range(3)], buffer.item_bytes) == ([0, 1, 0], 0)


def test_answers_for_records_of_a_deleted_topic_are_forgotten() -> None:
    buffer = Buffer(BUFFER_LIMITS)
    answers = KeptAnswers(buffer)
    answers.now_from(["a", "b"])
    records, retries = make_item(0), make_item(1, topic=1)
    both = make_answer([records, retries], DELIVERED, DELIVERED)
    built = BUILDER.of_answer(make_answer([retries], DELIVERED), NOON)
    answers.keep(0, [both, make_answer([records], DELIVERED), built])
    answers.now_from(["a", "b"])
    assert len(answers) == 4
    answers.now_from(["c", "b"])
    assert (len(answers), buffer.items) == (1, 1)
    assert answers.take(0) == [built]
