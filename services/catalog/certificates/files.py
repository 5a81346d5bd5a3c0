"""Reads the file of a certificate: what it is follows from its content, and a text in it must name the heats."""

from __future__ import annotations

import io
import logging
import re
import unicodedata
from collections.abc import Iterable, Iterator

from pypdf import PdfReader

from chassis.problems import Invalid
from services.catalog.certificates.model import fold_batch
from services.catalog.documents.files import EXTENSIONS, JPEG, MAX_BYTES, PDF, PNG, find_flaw

__all__ = ["EXTENSIONS", "MAX_BYTES", "MEDIA_TYPES", "HeatNotInFile", "NotACertificateFile", "check_file"]

MAX_PAGES = 200
MEDIA_TYPES = (PDF, JPEG, PNG)
logging.getLogger("pypdf").setLevel(logging.CRITICAL)


class NotACertificateFile(Invalid):
    """The file is not a whole PDF, JPEG or PNG of the type that it was sent as."""


class HeatNotInFile(Invalid):
    """The text of the certificate does not name a heat that it is said to be for."""


def check_file(body: bytes, media_type: str, heats: Iterable[str]) -> None:
    """Raise NotACertificateFile unless the file is whole and what it was sent as, HeatNotInFile when it has text without a heat.

    A picture, and a PDF that only holds pictures, cannot be looked into: then the maker's word stands.
    """
    if flaw := find_flaw(body, media_type):
        raise NotACertificateFile(flaw, field="$")
    if media_type == PDF:
        _check_heats(body, heats)


def _check_heats(body: bytes, heats: Iterable[str]) -> None:
    missing, has_text = {fold_batch(heat): heat for heat in heats}, False
    for text in _read_pages(body):
        has_text = has_text or any(sign.isalnum() for sign in text)
        missing = {folded: heat for folded, heat in missing.items() if not _stands_in(folded, text)}
        if not missing:
            return
    if has_text:
        names = sorted(missing.values())
        raise HeatNotInFile(f"the text of the file does not name {', '.join(names)}", field="$.heats", heats=names)


def _stands_in(heat: str, text: str) -> bool:
    """Whether a heat stands in a text by itself, not as a part of a longer number."""
    return re.search(rf"(?<![0-9A-Z]){re.escape(heat)}(?![0-9A-Z])", text) is not None


def _read_pages(body: bytes) -> Iterator[str]:
    """The text of each page, in capitals and without differences of width; empty where a page is a picture."""
    try:
        reader = PdfReader(io.BytesIO(body))
        if reader.is_encrypted:
            reader.decrypt("")
        if len(reader.pages) > MAX_PAGES:
            raise NotACertificateFile(f"the file has more than {MAX_PAGES} pages", field="$")
        for page in reader.pages:
            yield unicodedata.normalize("NFKC", page.extract_text()).upper()
    except Invalid:
        raise
    # A broken PDF fails in as many ways as there are: each means that the file cannot be read.
    except (Exception, RecursionError) as error:
        raise NotACertificateFile(f"the PDF cannot be read: {type(error).__name__}", field="$") from None
