"""Documents for people as PDF, in Chinese and English: headings, paragraphs and tables. Same content, same bytes.

All text is set in one typeface (``chassis.typeface``), whose letters are embedded.
"""

from __future__ import annotations

import io
import threading
from collections.abc import Iterable, Sequence
from xml.sax.saxutils import escape

import msgspec
from reportlab.lib import colors
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import Flowable, Paragraph, SimpleDocTemplate, Spacer
from reportlab.platypus import Table as Grid

from chassis import typeface
from chassis.wire import File

PDF = "application/pdf"
_MARGIN = 18 * mm
# reportlab reads letters out of the typeface at one place that it remembers: one document at a time.
_PRESS = threading.Lock()


class Heading(msgspec.Struct, frozen=True):
    """A line that stands over what follows."""

    text: str


class Text(msgspec.Struct, frozen=True):
    """A paragraph."""

    text: str


class Table(msgspec.Struct, frozen=True):
    """Rows of cells under a heading; ``widths`` are the columns' shares of the page. Columns of figures stand right."""

    head: Sequence[str]
    rows: Sequence[Sequence[str]]
    widths: Sequence[float]
    figures: frozenset[int] = frozenset()


Block = Heading | Text | Table


def write_pdf(name: str, title: str, blocks: Iterable[Block], *, footer: str) -> File:
    """A document on A4 pages, each with the footer and its number; ``name`` is the file's."""
    with _PRESS:
        typeface.load_typeface()
        return File(PDF, name, _press(title, blocks, footer))


def _press(title: str, blocks: Iterable[Block], footer: str) -> bytes:
    made = io.BytesIO()
    document = SimpleDocTemplate(
        made,
        pagesize=A4,
        title=title,
        author="Haihe",
        invariant=1,
        initialFontName=typeface.NAME,
        leftMargin=_MARGIN,
        rightMargin=_MARGIN,
        topMargin=_MARGIN,
        bottomMargin=_MARGIN,
    )

    def sign_page(canvas: Canvas, _: SimpleDocTemplate) -> None:
        line = Paragraph(_mark_up(f"{footer} · {canvas.getPageNumber()}"), _style(7, 9))
        line.wrap(document.width, _MARGIN)
        line.drawOn(canvas, _MARGIN, 9 * mm)

    story = [Paragraph(_mark_up(title), _style(15, 20)), Spacer(0, 4 * mm)]
    for block in blocks:
        story += _set(block, document.width)
    document.build(story, onFirstPage=sign_page, onLaterPages=sign_page)
    return made.getvalue()


def _set(block: Block, width: float) -> list[Flowable]:
    match block:
        case Heading(text):
            return [Spacer(0, 3 * mm), Paragraph(_mark_up(text), _style(11, 15)), Spacer(0, 1 * mm)]
        case Text(text):
            return [Paragraph(_mark_up(text), _style(9, 13)), Spacer(0, 1.5 * mm)]
        case Table():
            return [_set_table(block, width), Spacer(0, 2 * mm)]


def _set_table(table: Table, width: float) -> Grid:
    rows = [
        [Paragraph(_mark_up(cell), _style(8, 10, right=place in table.figures)) for place, cell in enumerate(row)]
        for row in (table.head, *table.rows)
    ]
    whole = sum(table.widths)
    grid = Grid(rows, colWidths=[width * share / whole for share in table.widths], repeatRows=1)
    grid.setStyle(
        [
            ("FONTNAME", (0, 0), (-1, -1), typeface.NAME),
            ("GRID", (0, 0), (-1, -1), 0.4, colors.grey),
            ("BACKGROUND", (0, 0), (-1, 0), colors.whitesmoke),
            ("VALIGN", (0, 0), (-1, -1), "TOP"),
        ]
    )
    return grid


def _style(size: float, leading: float, *, right: bool = False) -> ParagraphStyle:
    return ParagraphStyle(
        "plain", fontName=typeface.NAME, fontSize=size, leading=leading, wordWrap="CJK", alignment=2 if right else 0
    )


def _mark_up(text: str) -> str:
    return escape(typeface.spell_out(text))
