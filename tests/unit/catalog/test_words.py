"""What text becomes: the words that both engines compare."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.catalog.search.words import MAX_CLAUSES, MAX_WORD, clauses_of, fold_label, parts_of, phrases_of


@pytest.mark.parametrize(
    ("question", "clauses"),
    [
        ("热轧卷板", [("热轧", "轧卷", "卷板")]),
        ("螺纹", [("螺纹",)]),
        ("锌", [("锌",)]),
        ("Ｑ２３５Ｂ　热卷", [("q235b",), ("热卷",)]),
        ("厚5.50热卷Q355B", [("厚",), ("5.5",), ("热卷",), ("q355b",)]),
        ("5.5×1250×C", [("5.5", "1250", "c")]),
        ("5.5X1250", [("5.5", "1250")]),
        ("05.50mm", [("5.5",)]),
        ("0123", [("0123",)]),
        ("10.0", [("10",)]),
        ("0.50", [("0.5",)]),
        ("Φ20 Ф20 Ø20 φ20", [("φ20",)]),
        ("Hot-Rolled COILS", [("hot", "rolled"), ("coil",)]),
        ("glass gas bus", [("glass",), ("gas",), ("bus",)]),
        ("DX51D+Z275", [("dx51d", "z275")]),
        ("v1.2.3 no.5", [("v1.2.3",), ("no", "5")]),
        ("热卷 热卷", [("热卷",)]),
        ("", []),
        ("|*+-/", []),
    ],
)
def test_clauses(question: str, clauses: list[tuple[str, ...]]) -> None:
    assert clauses_of(question) == clauses


def test_phrases_are_not_found_across_runs() -> None:
    assert phrases_of("热轧板、冷轧卷", "Q235B 5.5*1250") == "热轧 轧板 | 冷轧 轧卷 | q235b | 5.5 1250"


def test_parts_of_a_grade() -> None:
    assert parts_of("Q235B").split() == ["q235b", "q235", "235"]
    assert parts_of("DX51D").split() == ["dx51d", "dx51", "51"]
    assert parts_of("304L").split() == ["304l", "304"]
    assert parts_of("5.5 1250").split() == ["5.5", "1250"]
    assert parts_of("热轧卷").split() == ["热轧", "轧卷", "热", "轧", "卷"]


def test_labels_are_compared_as_a_whole() -> None:
    assert fold_label(" Ｑ235 b ") == "q235b" != fold_label("Q235")


@given(st.text(max_size=200))
def test_any_text_finds_itself(text: str) -> None:
    """Each clause of a text is among its own phrases, and each single word among its parts."""
    phrases, parts = f" {phrases_of(text)} ", parts_of(text).split()
    clauses = clauses_of(text)
    assert len(clauses) <= MAX_CLAUSES
    for clause in clauses:
        assert f" {' '.join(clause)} " in phrases
        assert len(clause) > 1 or clause[0] in parts
        assert all(0 < len(word) <= MAX_WORD and not word.isspace() and " " not in word for word in clause)
