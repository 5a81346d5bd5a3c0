"""Reads the XML parts of a zipped workbook as a stream, within limits: a small file that would unpack to a huge one is refused.

No part is held as a whole, and a part that declares entities of its own is refused.
"""

from __future__ import annotations

import io
import zipfile
import zlib
from collections.abc import Iterator
from functools import lru_cache
from xml.parsers import expat

from services.catalog.imports.cells import NotReadable

MAX_PARTS = 1_000
MAX_UNPACKED = 64 << 20
MAX_ELEMENTS = 1_500_000
_CHUNK = 1 << 16

Step = tuple[str, dict[str, str] | None, str]
"""An element's local name, its attributes at its beginning and None at its end, and the text since the last step."""


def open_archive(body: bytes) -> zipfile.ZipFile:
    """The archive in a file. Raises NotReadable. What a member unpacks to is never more than what it declares."""
    try:
        archive = zipfile.ZipFile(io.BytesIO(body))
    except (zipfile.BadZipFile, ValueError, OSError, EOFError, NotImplementedError) as error:
        raise NotReadable(f"the workbook's archive is broken: {error}", field="$") from None
    members = archive.infolist()
    if any(member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED) for member in members):
        raise NotReadable("the workbook is packed in a way that workbooks are not", field="$")
    if len(members) > MAX_PARTS or sum(member.file_size for member in members) > MAX_UNPACKED:
        raise NotReadable(f"the workbook unpacks to more than {MAX_UNPACKED >> 20} MiB", field="$")
    return archive


def has_part(archive: zipfile.ZipFile, name: str) -> bool:
    """Whether the archive has a part."""
    return name in archive.NameToInfo


def walk(archive: zipfile.ZipFile, name: str) -> Iterator[Step]:
    """The elements of a part in their order. Raises NotReadable."""
    steps: list[Step] = []
    texts: list[str] = []
    parser = expat.ParserCreate(namespace_separator="}")
    parser.buffer_text = True

    def begin(element: str, attributes: dict[str, str]) -> None:
        for key in [key for key in attributes if "}" in key]:
            attributes[_local(key)] = attributes.pop(key)
        steps.append((_local(element), attributes, "".join(texts)))
        texts.clear()

    def end(element: str) -> None:
        steps.append((_local(element), None, "".join(texts)))
        texts.clear()

    def refuse_doctype(*_: object) -> None:
        raise NotReadable("the workbook declares a document type", field="$")

    parser.StartElementHandler, parser.EndElementHandler = begin, end
    parser.CharacterDataHandler, parser.StartDoctypeDeclHandler = texts.append, refuse_doctype
    count = 0
    for chunk in _chunks(archive, name):
        try:
            parser.Parse(chunk, not chunk)
        except expat.ExpatError as error:
            raise NotReadable(f"the part {name[:100]} of the workbook is broken: {error}", field="$") from None
        count += len(steps)
        if count > MAX_ELEMENTS * 2:
            raise NotReadable(f"a part of the workbook has more than {MAX_ELEMENTS} elements", field="$")
        yield from steps
        steps.clear()


def _chunks(archive: zipfile.ZipFile, name: str) -> Iterator[bytes]:
    try:
        with archive.open(name) as part:
            while chunk := part.read(_CHUNK):
                yield chunk
    except KeyError:
        raise NotReadable(f"the workbook has no part {name[:100]}", field="$") from None
    except (zipfile.BadZipFile, zlib.error, OSError, EOFError, RuntimeError, NotImplementedError) as error:
        raise NotReadable(f"the workbook's archive is broken: {error}", field="$") from None
    yield b""


@lru_cache(1024)
def _local(name: str) -> str:
    return name.rpartition("}")[2]
