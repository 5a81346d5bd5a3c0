"""What a document for people says, and that it says it the same way each time."""

from __future__ import annotations

import io

from pypdf import PdfReader

from chassis.paper import Heading, Table, Text, write_pdf
from chassis.wire import File

HOSTILE = "<b>&amp; </para> <img src='x'/> 钢 & Co ünïcode"


def read(file: File) -> list[str]:
    return [page.extract_text() for page in PdfReader(io.BytesIO(file.body)).pages]


def write(*blocks: Heading | Text | Table) -> File:
    return write_pdf("结算单.pdf", "结算单 Settlement statement", blocks, footer="sha256 0123")


def test_it_says_what_it_was_given_in_both_languages() -> None:
    (page,) = read(write(Heading("一、标的 Subject"), Text("热轧卷板 Q355B, 24.900 t")))
    assert {"结算单 Settlement statement", "一、标的 Subject", "热轧卷板 Q355B, 24.900 t", "sha256 0123 · 1"} <= set(
        line.strip() for line in page.splitlines()
    )


def test_text_is_never_markup() -> None:
    (page,) = read(write(Text(HOSTILE), Table(["a", "b"], [[HOSTILE, "1"]], [3, 1], frozenset({1}))))
    assert page.count(HOSTILE) == 2


def test_a_long_table_runs_over_pages_under_its_heading() -> None:
    pages = read(write(Table(["卷号 Coil", "净重 Net"], [[f"C{n:04d}", "1,000"] for n in range(200)], [1, 1])))
    assert len(pages) > 2
    assert all("卷号 Coil" in page and f"sha256 0123 · {n}" in page for n, page in enumerate(pages, 1))
    assert sum(page.count("1,000") for page in pages) == 200


def test_the_same_content_is_the_same_bytes() -> None:
    assert write(Text("甲 a")) == write(Text("甲 a"))
    assert write(Text("甲 a")) != write(Text("乙 a"))


def test_a_file_is_saved_and_not_shown_as_anything_else() -> None:
    assert dict(write().headers) == {
        "Content-Type": "application/pdf",
        "Content-Disposition": "attachment; filename*=UTF-8''%E7%BB%93%E7%AE%97%E5%8D%95.pdf",
        "X-Content-Type-Options": "nosniff",
        "Cache-Control": "no-store",
    }
