"""The typeface of documents for people: WenQuanYi Micro Hei (Apache License 2.0), Chinese and Latin.

A document carries the letters that it uses, so that it reads the same everywhere. A character that the typeface does not
draw is spelled out: a rare name is neither blank nor taken for another, and no mark is hidden.
"""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from unicodedata import decomposition, normalize

from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont

NAME = "WenQuanYi Micro Hei"


@cache
def load_typeface() -> frozenset[str]:
    """The characters that it draws, once reportlab knows it by its name: read once a process, in a quarter of a second.

    These are the ideographs of GB 2312 and GBK and all 20,902 of Unicode 1.1, with most signs of those. It has some forty
    characters with a width and no outline, such as ℃, which count as not drawn.
    """
    place = files("paperang_p2_fonts_cjk") / "fonts" / "wqy-microhei.ttc"
    typeface = TTFont(NAME, str(place), asciiReadable=False)
    pdfmetrics.registerFont(typeface)
    glyphs, starts = typeface.face.charToGlyph, typeface.face.glyphPos
    return frozenset(chr(code) for code, glyph in glyphs.items() if starts[glyph] < starts[glyph + 1])


def spell_out(text: str) -> str:
    """The text with what the typeface does not draw in other characters: ℃ is °C, 𬭎 is [U+2CB4E]."""
    drawn = load_typeface()
    return "".join(each if each in drawn or each.isspace() else _replace(each, drawn) for each in text)


def _replace(character: str, drawn: frozenset[str]) -> str:
    # Only what Unicode calls the same or compatible: a raised five would become a five.
    is_alike = decomposition(character).startswith("<compat>") or not decomposition(character).startswith("<")
    alike = normalize("NFKD", character)
    return alike if is_alike and drawn.issuperset(alike) else f"[U+{ord(character):04X}]"
