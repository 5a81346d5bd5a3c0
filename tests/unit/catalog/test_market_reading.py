"""What is kept of the texts that sellers write, and why a text is refused, in both languages."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.catalog.markets.checks import CheckFailed
from services.catalog.markets.loader import load_packs
from services.catalog.markets.reading import split_values
from services.catalog.markets.texts import fold_size, read_date
from tests.unit.catalog.tea import read_tea

TEA = read_tea()


def check(name: str, text: str) -> str:
    return TEA.check(TEA.by_name[name], text)


@pytest.mark.parametrize(
    ("name", "text", "kept"),
    [
        ("best_before", "2026-11-21", "2026-11-21"),
        ("best_before", "2026/1/5", "2026-01-05"),
        ("best_before", "2026年11月21日", "2026-11-21"),
        ("best_before", "２０２６年１月５日", "2026-01-05"),
        ("best_before", "2026-11-21 00:00:00", "2026-11-21"),
        ("labels", "有机", "organic"),
        ("labels", "Fair trade; 有机;organic", "fair_trade;organic"),
        ("labels", "有机；公平贸易", "organic;fair_trade"),
        ("kind", "PUERH", "puer"),
        ("pack_g", "357", "357"),
        ("moisture", "6.50", "6.5"),
        ("gtin", "690 123456789 2", "6901234567892"),
    ],
)
def test_what_is_kept(name: str, text: str, kept: str) -> None:
    assert check(name, text) == kept == check(name, kept)
    assert split_values(TEA.by_name[name], kept) == (kept.split(";") if name == "labels" else [kept])


@pytest.mark.parametrize(
    ("name", "text", "en", "zh"),
    [
        ("best_before", "21.11.2026", "is not a date such as 2026-11-21", "不是日期（如 2026-11-21）"),
        ("best_before", "2026-11/21", "is not a date such as 2026-11-21", "不是日期（如 2026-11-21）"),
        ("best_before", "2026年11月21", "is not a date such as 2026-11-21", "不是日期（如 2026-11-21）"),
        ("best_before", "2026-02-29", "is no day of the calendar", "不是日历上的日期"),
        ("best_before", "45982", "is not a date such as 2026-11-21", "不是日期（如 2026-11-21）"),
        ("labels", "有机;白茶", "not one of: Organic, Fair trade", "不是以下之一：有机、公平贸易"),
        ("labels", " ; ", "is empty", "为空"),
        ("kind", "咖啡", "not one of: Black tea, Green tea, Pu'er tea", "不是以下之一：红茶、绿茶、普洱茶"),
        ("pack_g", "357.5", "has more than 0 decimals", "小数超过0位"),
        ("pack_g", "5", "is not between 10 and 50000", "不在10与50000之间"),
        ("pack_g", "1e3", "is in exponent form: write plain digits", "为科学计数法：请写普通数字"),
        ("pack_g", "NaN", "is not a number in plain digits, such as 5.5", "不是普通数字（如 5.5）"),
        ("garden", "=cmd()", "begins with =, which a spreadsheet would run as a formula", "以=开头，表格软件会当作公式执行"),
        ("garden", "a\u202eb", "has control characters or other hidden signs", "含有控制字符或其他不可见字符"),
        ("garden", "x" * 201, "is longer than 200 characters", "超过200个字符"),
        ("garden", "", "is empty", "为空"),
        ("batch", "1.2E+12", "is in exponent form: the spreadsheet has lost its digits, format the column as text",
         "为科学计数法：表格软件已丢失数字，请将该列设为文本格式"),
    ],
)  # fmt: skip
def test_why_a_text_is_refused(name: str, text: str, en: str, zh: str) -> None:
    with pytest.raises(CheckFailed) as refused:
        check(name, text)
    assert (str(refused.value), refused.value.zh) == (en, zh)


def test_many_values_have_a_limit() -> None:
    changed = read_tea(('check = "gtin"', "many = true"))
    attribute = changed.by_name["gtin"]
    assert changed.check(attribute, ";".join(str(number) for number in range(50))).count(";") == 49
    with pytest.raises(CheckFailed, match="^has more than 50 values$"):
        changed.check(attribute, ";".join(str(number) for number in range(51)))


@given(st.dates())
def test_a_date_is_kept_whichever_way_it_is_written(day: object) -> None:
    year, month, number = day.year, day.month, day.day  # type: ignore[attr-defined]
    for text in (f"{year:04}-{month:02}-{number:02}", f"{year:04}/{month}/{number}", f"{year:04}年{month}月{number}日"):
        assert read_date(text) == day.isoformat()  # type: ignore[attr-defined]


@given(st.text(max_size=300))
def test_a_text_is_kept_as_it_would_be_kept_again_or_refused_with_a_reason(text: str) -> None:
    for pack in load_packs().values():
        for attribute in pack.attributes[:12]:
            try:
                kept = pack.check(attribute, text)
            except ValueError as reason:
                assert str(reason)
            else:
                assert pack.check(attribute, kept) == kept


@pytest.mark.parametrize(
    ("written", "folded"),
    [
        ("H300*300*10*15", "300*300*10*15"),
        ("HW 300×300×10×15", "300*300*10*15"),
        ("hn400x200x8x13", "400*200*8*13"),
        ("２０a", "20a"),
        ("20#A", "20a"),
        ("I20a", "20a"),
        ("∠100*10", "100*10"),
        ("L100×10", "100*10"),
    ],
)
def test_sizes_are_read_as_traders_write_them(written: str, folded: str) -> None:
    assert fold_size(written) == folded == fold_size(folded)
