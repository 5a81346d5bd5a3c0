"""A gate never releases what it does not know, whatever comes together."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from services.logistics.rfid.judging import STOPS, TEXTS, Code, Reason, Verdict, judge_passage

REASONS = st.builds(
    Reason,
    code=st.sampled_from(Code),
    piece_id=st.sampled_from([None, "piece_1", "piece_2"]),
    epc=st.sampled_from([None, "a"]),
)


@given(reasons=st.lists(REASONS, max_size=12), tags=st.integers(0, 5))
def test_a_release_has_no_reason_and_something_passed(reasons: list[Reason], tags: int) -> None:
    judged = judge_passage(reasons, tags=tags)
    assert (judged.verdict == Verdict.RELEASE) == (not reasons and tags > 0)
    assert (judged.verdict == Verdict.STOP) == any(one.code in STOPS for one in reasons)
    assert {*reasons} <= {*judged.reasons}
    assert [one.code in STOPS for one in judged.reasons] == sorted(
        (one.code in STOPS for one in judged.reasons), reverse=True
    )


@given(reasons=st.lists(REASONS, max_size=8), more=st.lists(REASONS, max_size=8), tags=st.integers(0, 5))
def test_more_reasons_never_relax_a_verdict(reasons: list[Reason], more: list[Reason], tags: int) -> None:
    grave = [Verdict.RELEASE, Verdict.CHECK, Verdict.STOP]
    first, second = judge_passage(reasons, tags=tags), judge_passage([*reasons, *more], tags=tags)
    assert grave.index(first.verdict) <= grave.index(second.verdict)


@given(reasons=st.lists(REASONS, max_size=8), data=st.data())
def test_neither_order_nor_repetition_matters(reasons: list[Reason], data: st.DataObject) -> None:
    again = data.draw(st.permutations([*reasons, *reasons[:3]]))
    assert judge_passage(reasons, tags=1) == judge_passage(again, tags=1)


def test_every_code_has_its_sentence() -> None:
    assert set(TEXTS) == set(Code)
