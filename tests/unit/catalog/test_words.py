"""What text becomes: the words that every engine compares."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.catalog.search.dictionary import MAX_CLAUSES, Dictionary
from services.catalog.search.matcher import has_all
from services.catalog.search.words import (
    INITIALS,
    MAX_WORD,
    PLACE,
    fold_label,
    initials_in,
    place_words_of,
    words_of,
    words_of_number,
)

TRADE = Dictionary(
    (
        ("螺纹钢", "rebar", "钢筋"),
        ("热轧卷板", "hot rolled coil", "HRC", "热卷"),
        ("天津", "Tianjin"),
        ("H型钢", "h beam"),
        ("板", "x"),
    )
)


@pytest.mark.parametrize(
    ("question", "clauses"),
    [
        ("热轧卷板", [("热轧卷板",)]),
        ("第一炼钢厂房", [("第一炼钢", "一炼钢厂", "炼钢厂房")]),
        ("锌", [("锌",)]),
        ("Ｑ２３５Ｂ　热卷", [("q235b",), ("热卷",)]),
        ("厚5.50热卷Q355B", [("5.5",), ("热卷",), ("q355b",)]),
        ("厚度", [("厚度",)]),
        ("5.5×1250×C", [("5.5*1250", "1250*c")]),
        ("5.5X1250", [("5.5*1250",)]),
        ("5.5 * 1250 * C", [("5.5*1250", "1250*c")]),
        ("05.50mm", [("5.5",)]),
        ("0123", [("0123",)]),
        ("1,219", [("1219",)]),
        ("1,21", [("1",), ("21",)]),
        ("10.0", [("10",)]),
        ("0.50", [("0.5",)]),
        ("Φ20 Ф20 Ø20 φ20", [("φ20",)]),
        ("Hot-Rolled 304 COILS", [("hot", "rolled"), ("304",), ("coil",)]),
        ("DX51D+Z275", [("dx51d", "z275")]),
        ("v1.2.3 no.5", [("v1.2.3",), ("no", "5")]),
        ("热卷 热卷", [("热卷",)]),
        ("鍍鋅鋼捲", [("镀锌钢卷",)]),
        ("", []),
        ("|*+-/~@", []),
    ],
)
def test_clauses_without_a_dictionary(question: str, clauses: list[tuple[str, ...]]) -> None:
    assert [clause[0] for clause in Dictionary().clauses_of(question)] == clauses


@pytest.mark.parametrize(
    ("question", "clauses"),
    [
        ("天津螺纹钢", [{("天津",), ("tianjin",)}, {("螺纹钢",), ("rebar",), ("钢筋",)}]),
        ("大螺纹钢管", [{("大",)}, {("螺纹钢",), ("rebar",), ("钢筋",)}, {("管",)}]),
        ("hot rolled coils", [{("hot", "rolled", "coil"), ("hrc",), ("热轧卷板",), ("热卷",)}]),
        ("hot coil", [{("hot",), ("~hot",)}, {("coil",), ("~coil",)}]),
        ("板", [{("板",)}]),
        ("h beam", [{("h", "beam"), ("h", "型钢")}]),
        ("tjgt", [{("tjgt",), ("~tjgt",)}]),
        ("Q235B5.5", [{("q235b5.5",), ("q235b", "5.5")}]),
        ("Q235B5.5*1500", [{("q235b5.5*1500",), ("q235b", "5.5*1500")}]),
    ],
)
def test_a_question_is_cut_at_the_names_that_are_known(question: str, clauses: list[set[tuple[str, ...]]]) -> None:
    assert [set(clause) for clause in TRADE.clauses_of(question)] == clauses


def test_what_a_text_is_found_by() -> None:
    assert words_of("Q235B") == {"q235b", "q235", "235"}
    assert words_of("DX51D") == {"dx51d", "dx51", "51"} and words_of("304L") == {"304l", "304"}
    assert words_of("5.5*1250*C") == {"5.5", "1250", "c", "5.5*1250", "1250*c"}
    assert words_of("热轧卷") == {"热", "轧", "卷", "热轧", "轧卷", "热轧卷"}
    assert words_of("热轧板、冷轧") == {"热", "轧", "板", "热轧", "轧板", "热轧板", "冷", "冷轧"}
    assert words_of_number("C-2306-0123A") == {"c", "2306", "0123", "0123a"}
    assert place_words_of("天津") == {PLACE + "天", PLACE + "津", PLACE + "天津"}


def test_initials_of_names() -> None:
    assert initials_in("重庆钢铁") >= {INITIALS + "cq", INITIALS + "cqgt", INITIALS + "gt"}
    assert INITIALS + "rzjb" in initials_in("热轧卷板") and initials_in("锌") == initials_in("Steel 20") == frozenset()


def test_labels_are_compared_as_a_whole() -> None:
    assert fold_label(" Ｑ235 b ") == "q235b" != fold_label("Q235")


@given(st.text(max_size=200))
def test_any_text_finds_itself(text: str) -> None:
    """Whatever is asked as it stands in a text finds that text, with or without a dictionary."""
    words = words_of(text)
    for dictionary in (Dictionary(), TRADE):
        clauses = dictionary.clauses_of(text)
        assert len(clauses) <= MAX_CLAUSES and has_all(words, clauses)
        assert all(
            0 < len(word) <= MAX_WORD * 6 and " " not in word for clause in clauses for each in clause for word in each
        )


@given(st.text(alphabet="热轧卷板冷镀锌螺纹钢天津", min_size=1, max_size=12), st.data())
def test_any_part_of_a_chinese_word_finds_it(text: str, data: st.DataObject) -> None:
    begin = data.draw(st.integers(0, len(text) - 1))
    part = text[begin : data.draw(st.integers(begin + 1, len(text)))]
    assert has_all(words_of(text), Dictionary().clauses_of(part))
