"""That a document reads the same in a viewer without a single font: it carries every letter that it shows."""

from __future__ import annotations

import io
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from pypdf import PdfReader

from chassis.paper import Heading, Table, Text, write_pdf
from chassis.typeface import spell_out
from tests.letters import find_blank, list_absent_fonts, list_drawn

ROOT = Path(__file__).resolve().parents[3]
NAME = "上海鑫淼昇犇垚喆钢铁贸易（集团）有限公司"
TEMPLATES = ("orders/contracts/documents.py", "settlement/invoices/paper.py", "settlement/statements/paper.py")
SOURCES = [
    *sorted((ROOT / "services/catalog/markets/packs").rglob("*.toml")),
    *(ROOT / "services" / name for name in TEMPLATES),
]
SAID = [line for path in SOURCES for line in path.read_text().splitlines() if not line.isascii()]
"""All that markets and templates say in Chinese: names, clauses, labels."""
CLAUSES = max(SAID, key=len), *SAID[:20]


def write(*said: str) -> bytes:
    """A document with everything that a document can have: a title, headings, texts, tables, empty cells, a footer."""
    table = Table(("名称 Name", ""), [(one, "") for one in said], (3, 1))
    return write_pdf(
        "a.pdf", f"买卖合同 {NAME}", [Heading(NAME), *map(Text, said), table], footer="页 sha256 0123"
    ).body


def test_every_font_is_inside() -> None:
    assert list_absent_fonts(write(*CLAUSES)) == []


def test_a_document_carries_a_letter_for_every_character_of_markets_and_templates() -> None:
    said = sorted({each for line in [*SAID, NAME] for each in line if not each.isspace()})
    shown = spell_out("".join(said))
    assert "[U+" not in shown
    assert set(shown) <= list_drawn(write("".join(said)))


def test_where_a_character_stands_there_is_ink() -> None:
    pdf = write(NAME, *CLAUSES[:4])
    assert find_blank(pdf) == []
    assert NAME in "".join(PdfReader(io.BytesIO(pdf)).pages[0].extract_text().split())


@pytest.mark.parametrize(
    ("character", "shown"),
    [
        ("𬭎", "[U+2CB4E]"),
        ("㙍", "[U+364D]"),
        ("\u202e", "[U+202E]"),
        ("\u200e", "[U+200E]"),
        ("😀", "[U+1F600]"),
        ("10⁷", "10[U+2077]"),
        ("25 ℃", "25 °C"),
        ("Ⅴ", "V"),
    ],
)
def test_what_the_typeface_does_not_draw_is_spelled_out(character: str, shown: str) -> None:
    pdf = write(f"宁波{character}船")
    assert f"宁波{shown}船" in PdfReader(io.BytesIO(pdf)).pages[0].extract_text()
    assert find_blank(pdf) == []


def test_every_ideograph_of_gb_2312_is_drawn() -> None:
    rows = [bytes([row, cell]) for row in range(0xB0, 0xF8) for cell in range(0xA1, 0xFF)]
    said = "".join(each.decode("gb2312", "ignore") for each in rows)
    assert len(said) == 6763
    assert spell_out(said) == said


@pytest.fixture
def hasty() -> Iterator[None]:
    """Threads take turns after a microsecond in place of five milliseconds."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before)


@pytest.mark.usefixtures("hasty")
def test_documents_made_at_once_are_those_made_one_by_one() -> None:
    said = ["".join(map(chr, range(first, first + 60))) for first in range(0x4E00, 0x5200, 60)]
    with ThreadPoolExecutor(8) as press:
        assert list(press.map(write, said)) == [write(each) for each in said]
