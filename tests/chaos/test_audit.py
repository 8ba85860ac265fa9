"""That the audit finds each kind of violation, and nothing where there is none."""

import pytest

from tests.chaos.audit import MAX_RSS_BYTES, Entry, Evidence, Made, Receipt, Record, Retry, Sample, audit

A, B, C = (0, 0), (0, 1), (1, 0)
CLEAN = Evidence(
    records=[Record(A, b"a", "good"), Record(B, b"a", "increment"), Record(C, b"c", "poison")],
    receipts=[
        Receipt(A, 0, "delivered", "CREATED", 1.0),
        Receipt(B, 0, "delivered", "MODIFIED", 2.0),
        Receipt(C, 1, "rejected", "null-value", 1.0),
    ],
    ledger=[Entry(A, "CREATED", True), Entry(A, "UNCHANGED", False), Entry(B, "MODIFIED", True)],
    retries=[Retry(B, ("retries", 0, 0), 1.0)],
    committed={("records", 0): 2, ("records", 1): 1, ("retries", 0): 1},
    records_topic="records",
    samples=[Sample(1.5, {0: 2, 1: 1})],
)
DELIVERED_A = CLEAN.receipts[0]
REDRIVEN_C = Record(C, b"c", "poison", redriven_to=5, redrives=1)


def kinds(evidence: Evidence) -> set[str]:
    return {violation.kind for violation in audit(evidence)}


def test_a_clean_round_has_no_violation() -> None:
    assert audit(CLEAN) == []


@pytest.mark.parametrize(
    ("evidence", "kind"),
    [
        pytest.param(CLEAN._replace(receipts=CLEAN.receipts[1:]), "missing", id="no receipt"),
        pytest.param(CLEAN._replace(receipts=[*CLEAN.receipts, DELIVERED_A]), "double", id="two receipts"),
        pytest.param(CLEAN._replace(records=CLEAN.records[1:]), "strange", id="a receipt of nothing"),
        pytest.param(
            CLEAN._replace(receipts=[*CLEAN.receipts[1:], DELIVERED_A._replace(lane=1)]), "wrong lane", id="other lane"
        ),
        pytest.param(
            CLEAN._replace(receipts=[*CLEAN.receipts[1:], DELIVERED_A._replace(verdict="ambiguous")]),
            "wrong fate",
            id="a repeatable record left to a person",
        ),
        pytest.param(
            CLEAN._replace(ledger=[*CLEAN.ledger, Entry(B, "MODIFIED", True)]), "applied twice", id="added twice"
        ),
        pytest.param(CLEAN._replace(ledger=CLEAN.ledger[2:]), "disagreement", id="delivered, never received"),
        pytest.param(
            CLEAN._replace(receipts=[*CLEAN.receipts[1:], DELIVERED_A._replace(verdict="rejected")]),
            "disagreement",
            id="rejected, yet applied",
        ),
        pytest.param(CLEAN._replace(ledger=[*CLEAN.ledger, Entry(C, "CREATED", True)]), "sent", id="poison sent"),
        pytest.param(
            CLEAN._replace(ledger=[*CLEAN.ledger, Entry(A, "MODIFIED", True)]), "order", id="repeated after a later one"
        ),
        pytest.param(CLEAN._replace(ledger=[*CLEAN.ledger, Entry((1, 7), "", True)]), "strange", id="an aborted one"),
        pytest.param(CLEAN._replace(samples=[Sample(0.5, {0: 1})]), "committed", id="committed too early"),
        pytest.param(CLEAN._replace(committed={**CLEAN.committed, ("records", 0): 1}), "unread", id="a record left"),
        pytest.param(CLEAN._replace(committed={**CLEAN.committed, ("retries", 0): 0}), "unread", id="a retry left"),
        pytest.param(CLEAN._replace(records=[*CLEAN.records, REDRIVEN_C]), "missing", id="a redriven one, no receipt"),
        pytest.param(
            CLEAN._replace(records=[*CLEAN.records, REDRIVEN_C, REDRIVEN_C._replace(redriven_to=6)]),
            "redriven twice",
            id="a letter redriven twice",
        ),
        pytest.param(CLEAN._replace(peak_rss_bytes=MAX_RSS_BYTES + 1), "memory", id="too much memory"),
    ],
)
def test_a_broken_promise_is_found(evidence: Evidence, kind: str) -> None:
    assert kind in kinds(evidence)


def test_an_increment_may_be_ambiguous_applied_or_not() -> None:
    ambiguous = CLEAN.receipts[1]._replace(verdict="ambiguous", code="no-answer")
    receipts = [CLEAN.receipts[0], ambiguous, CLEAN.receipts[2]]
    assert audit(CLEAN._replace(receipts=receipts)) == []
    assert audit(CLEAN._replace(receipts=receipts, ledger=CLEAN.ledger[:2])) == []


def test_each_life_of_a_redriven_record_has_a_receipt_of_its_own() -> None:
    second = CLEAN.receipts[2]._replace(written_at_s=3.0)
    committed = {**CLEAN.committed, ("records", 1): 6}
    evidence = CLEAN._replace(
        records=[*CLEAN.records, REDRIVEN_C], receipts=[*CLEAN.receipts, second], committed=committed
    )
    assert audit(evidence) == []


D, E = (2, 0), (2, 1)
WHOLE = frozenset({"7", "8"})
MAKERS = CLEAN._replace(
    records=[
        *CLEAN.records,
        Record(D, b"d", "increment", makes="sync", parts=WHOLE),
        Record(E, b"d", "increment", makes="sync", parts=WHOLE),
    ],
    receipts=[
        *CLEAN.receipts,
        Receipt(D, 2, "delivered", "CREATED", 1.0, made="1"),
        Receipt(E, 2, "delivered", "CREATED", 1.0, made="2"),
    ],
    committed={**CLEAN.committed, ("records", 2): 2},
    made=[Made("sync", "1", WHOLE), Made("sync", "2", WHOLE | {"9"})],
)
FIRST, SECOND = MAKERS.receipts[-2:]
PARTIAL = SECOND._replace(verdict="rejected", code="partial")
LACKING = [MAKERS.made[0], Made("sync", "2", frozenset({"7"}))]


def second(receipt: Receipt) -> Evidence:
    return MAKERS._replace(receipts=[*MAKERS.receipts[:-1], receipt])


def partial() -> Evidence:
    records = [*MAKERS.records[:-1], MAKERS.records[-1]._replace(expected="partial")]
    return second(PARTIAL)._replace(records=records, made=LACKING)


@pytest.mark.parametrize(
    "evidence",
    [
        pytest.param(MAKERS, id="a thing for each"),
        pytest.param(partial(), id="one lacks a part, and says so"),
        pytest.param(second(SECOND._replace(verdict="ambiguous", made=None)), id="made, and its record not sure"),
        pytest.param(
            second(SECOND._replace(verdict="ambiguous", made=None))._replace(made=MAKERS.made[:1]),
            id="not made, and its record not sure",
        ),
    ],
)
def test_records_that_make_the_same_make_a_thing_each(evidence: Evidence) -> None:
    assert audit(evidence) == []


@pytest.mark.parametrize(
    ("evidence", "kind"),
    [
        pytest.param(MAKERS._replace(made=MAKERS.made[:1]), "not made", id="two receipts and one thing"),
        pytest.param(second(SECOND._replace(made="1")), "not made", id="two receipts name one thing"),
        pytest.param(MAKERS._replace(made=[*MAKERS.made, Made("sync", "3")]), "made twice", id="a third thing"),
        pytest.param(MAKERS._replace(made=LACKING), "parts", id="delivered without a part"),
        pytest.param(partial()._replace(made=MAKERS.made), "parts", id="partial, and nothing is missing"),
        pytest.param(
            second(SECOND._replace(verdict="rejected", code="404")), "made twice", id="rejected, and made all the same"
        ),
        pytest.param(second(SECOND._replace(verdict="rejected", code="404")), "wrong fate", id="a good one rejected"),
    ],
)
def test_a_thing_that_is_not_what_its_record_says_is_found(evidence: Evidence, kind: str) -> None:
    assert kind in kinds(evidence)


def test_a_refusal_of_what_is_good_is_no_violation_where_somebody_refuses() -> None:
    refused = second(SECOND._replace(verdict="rejected", code="403"))._replace(made=MAKERS.made[:1])
    assert kinds(refused) == {"wrong fate"}
    assert audit(refused._replace(may_refuse=True)) == []


def test_a_refused_record_may_be_ambiguous_and_a_rejected_one_not() -> None:
    for expected, found in (("refused", set[str]()), ("rejected", {"wrong fate"})):
        record = Record(D, b"d", expected)  # type: ignore[arg-type]
        evidence = MAKERS._replace(
            records=[*CLEAN.records, record],
            receipts=[*CLEAN.receipts, FIRST._replace(verdict="ambiguous", made=None)],
            made=(),
        )
        assert kinds(evidence) == found
