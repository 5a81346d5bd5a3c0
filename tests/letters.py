"""What a PDF carries of its typeface, read out of its bytes, and where its pages have ink."""

from __future__ import annotations

import io
import re
import struct
from collections.abc import Iterator

import pypdfium2
from pypdf import PdfReader
from pypdf.generic import DictionaryObject

_PAIR = re.compile(rb"<([0-9A-F]{2})> <([0-9A-F]{4})>")
_SCALE = 4


def list_absent_fonts(pdf: bytes) -> list[str]:
    """The fonts that the pages name and that the document leaves to its reader."""
    return [font["/BaseFont"] for font in _read_fonts(pdf) if _read_program(font) is None]


def list_drawn(pdf: bytes) -> set[str]:
    """The characters for which the document carries a letter that is more than a blank."""
    return {letter for font in _read_fonts(pdf) for letter in _list_letters(font)}


def _read_fonts(pdf: bytes) -> Iterator[DictionaryObject]:
    for page in PdfReader(io.BytesIO(pdf)).pages:
        yield from (font.get_object() for font in page["/Resources"]["/Font"].values())


def _read_program(font: DictionaryObject) -> bytes | None:
    if "/FontDescriptor" not in font or "/FontFile2" not in (told := font["/FontDescriptor"]):
        return None
    return told["/FontFile2"].get_data()


def _list_letters(font: DictionaryObject) -> Iterator[str]:
    program = _read_program(font)
    if program is None:
        return
    tables = {
        tag: program[start : start + length]
        for tag, _, start, length in struct.iter_unpack(">4sLLL", _directory(program))
    }
    (wide,) = struct.unpack(">h", tables[b"head"][50:52])
    offsets = [one * (1 if wide else 2) for (one,) in struct.iter_unpack(">L" if wide else ">H", tables[b"loca"])]
    # The one character map of a subset is in format 6, for the codes from 0.
    glyphs = [one for (one,) in struct.iter_unpack(">H", tables[b"cmap"][22:])]
    for code, character in _read_characters(font["/ToUnicode"].get_data()):
        if code < len(glyphs) and glyphs[code] and offsets[glyphs[code]] < offsets[glyphs[code] + 1]:
            yield character


def _directory(program: bytes) -> bytes:
    return program[12 : 12 + 16 * struct.unpack(">H", program[4:6])[0]]


def _read_characters(to_unicode: bytes) -> Iterator[tuple[int, str]]:
    for found in _PAIR.finditer(to_unicode):
        yield int(found[1], 16), chr(int(found[2], 16))


def find_blank(pdf: bytes) -> list[str]:
    """The characters of the pages, spaces left out, in whose place a page has no ink."""
    with pypdfium2.PdfDocument(pdf) as document:
        return [found for page in document for found in _find_blank(page)]


def _find_blank(page: pypdfium2.PdfPage) -> Iterator[str]:
    picture, text = page.render(scale=_SCALE).to_pil().convert("L"), page.get_textpage()
    for place in range(text.count_chars()):
        character = text.get_text_range(place, 1)
        left, bottom, right, top = (each * _SCALE for each in text.get_charbox(place, loose=True))
        box = [round(each) for each in (left, picture.height - top, right, picture.height - bottom)]
        if not character.isspace() and picture.crop(box).getextrema()[0] > 128:
            yield character
