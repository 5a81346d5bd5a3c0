"""Reasons in the reader's language."""

from __future__ import annotations

import pytest

from chassis.uploads.reasons import CHINESE, Reason, Words, reason_of

WORDS = Words(
    templates={"not one of: {names}": "不是以下之一：{names}", "is odd": "很奇怪"}, names={"Coil": "卷", "Bar": "棒"}
)


@pytest.mark.parametrize(
    ("reason", "told"),
    [
        ("is missing", "缺少内容"),
        ("is odd", "很奇怪"),
        ("not one of: Coil, Bar, Other", "不是以下之一：卷、棒、Other"),
        ("has 3 cells where the heading has 14", "有 3 个单元格，而表头有 14 个"),
        ("the total is 46.8, the rows come to 46.90", "合计为 46.8，各行之和为 46.90"),
        ("no words for this", "no words for this"),
    ],
)
def test_a_reason_is_told_by_its_template(reason: str, told: str) -> None:
    assert WORDS.tell(reason, "zh") == told and WORDS.tell(reason, "en") == reason


def test_a_reason_may_bring_its_chinese_along() -> None:
    error = ValueError("is heavy")
    assert reason_of(error) == "is heavy" and not isinstance(reason_of(error), Reason)
    error.zh = "太重"  # type: ignore[attr-defined]
    reason = reason_of(error)
    assert reason == "is heavy" and WORDS.tell(reason, "zh", reason.zh) == "太重"


def test_each_template_fills_its_own_holes_and_no_other_takes_it() -> None:
    for english, chinese in CHINESE.items():
        filled = english.replace("{", "").replace("}", "")
        assert Words().tell(filled, "zh") != filled and set(_holes(english)) >= set(_holes(chinese))


def _holes(template: str) -> list[str]:
    return [part.partition("}")[0] for part in template.split("{")[1:]]
