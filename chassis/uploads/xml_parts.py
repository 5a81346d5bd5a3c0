"""Reads the XML parts of a zipped workbook as a stream, within limits: a small file that would unpack to a huge one is refused.

No part is held as a whole, and a part that declares entities of its own is refused.
"""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, BinaryIO
from xml.parsers import expat

from chassis.uploads.cells import NotReadable

MAX_PARTS = 1_000
MAX_LENGTH = 1 << 20
"""Bytes of a tag, characters of a text: spreadsheets write 32,767 of them into a cell at most."""
_CHUNK = 1 << 16

Step = tuple[str, dict[str, str] | None, str]
"""An element's local name, its attributes at its beginning and None at its end, and the text since the last step."""


@dataclass(frozen=True, kw_only=True)
class Limits:
    """How large a workbook may be: what all its parts unpack to, how often its own size that may be, elements of a sheet
    and of any other part.

    A workbook below ``free_mib`` may be packed as tightly as it likes: a sheet that repeats itself is.
    """

    mib: int
    times: int
    sheet_elements: int
    elements: int
    free_mib: int = 64


IN_A_REQUEST = Limits(mib=64, times=2_000, sheet_elements=1_500_000, elements=1_500_000)
IN_A_WORKER = Limits(mib=4_096, times=200, sheet_elements=200_000_000, elements=12_000_000)


@dataclass(frozen=True)
class Archive:
    """The parts of a workbook."""

    zip: zipfile.ZipFile
    limits: Limits

    def has_part(self, name: str) -> bool:
        """Whether there is such a part."""
        return name in self.zip.NameToInfo

    def read(self, name: str) -> Iterator[bytes]:
        """The bytes of a part, and nothing at its end. Raises NotReadable."""
        try:
            with self.zip.open(name) as part:
                while chunk := part.read(_CHUNK):
                    yield chunk
        except KeyError:
            raise NotReadable(f"the workbook has no part {name[:100]}", field="$") from None
        except (zipfile.BadZipFile, zlib.error, OSError, EOFError, RuntimeError, NotImplementedError) as error:
            raise NotReadable(f"the workbook's archive is broken: {error}", field="$") from None
        yield b""


def open_archive(file: BinaryIO, limits: Limits) -> Archive:
    """The archive in a file. Raises NotReadable. What a member unpacks to is never more than what it declares."""
    try:
        archive = zipfile.ZipFile(file)
    except (zipfile.BadZipFile, ValueError, OSError, EOFError, NotImplementedError) as error:
        raise NotReadable(f"the workbook's archive is broken: {error}", field="$") from None
    members = archive.infolist()
    if any(member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED) for member in members):
        raise NotReadable("the workbook is packed in a way that workbooks are not", field="$")
    unpacked, packed = sum(member.file_size for member in members), sum(member.compress_size for member in members)
    if len(members) > MAX_PARTS or unpacked > limits.mib << 20:
        raise NotReadable(f"the workbook unpacks to more than {limits.mib} MiB", field="$")
    if unpacked > limits.free_mib << 20 and unpacked > packed * limits.times:
        raise NotReadable(f"the workbook unpacks to more than {limits.times} times its size", field="$")
    return Archive(archive, limits)


class Parser:
    """An expat parser with handlers that get names with their namespaces, or without a separator with their prefixes:
    ``local`` strips these.
    """

    def __init__(
        self,
        begin: Callable[..., Any],
        end: Callable[..., Any],
        text: Callable[..., Any],
        *,
        separator: str | None = "}",
    ) -> None:
        self._expat = expat.ParserCreate(namespace_separator=separator)
        self._expat.buffer_text = True
        self._expat.StartElementHandler, self._expat.EndElementHandler = begin, end
        self._expat.CharacterDataHandler = text
        self._expat.StartDoctypeDeclHandler = _refuse_doctype
        self._fed = 0

    def feed(self, chunk: bytes, name: str, texts: Sequence[str]) -> None:
        """See the next bytes of a part; none are its end. ``texts`` is the text that goes on there. Raises NotReadable."""
        try:
            self._expat.Parse(chunk, not chunk)
        except expat.ExpatError as error:
            raise NotReadable(f"the part {name[:100]} of the workbook is broken: {error}", field="$") from None
        self._fed += len(chunk)
        # Expat holds a tag until it is whole, and reads it from its beginning again with each chunk.
        if chunk and max(self._fed - self._expat.CurrentByteIndex, sum(map(len, texts))) > MAX_LENGTH:
            raise NotReadable(f"the workbook has a tag or a text longer than {MAX_LENGTH} bytes", field="$")


def _refuse_doctype(*_: object) -> None:
    raise NotReadable("the workbook declares a document type", field="$")


def walk(archive: Archive, name: str) -> Iterator[Step]:
    """The elements of a part in their order. Raises NotReadable."""
    steps: list[Step] = []
    texts: list[str] = []

    def begin(element: str, attributes: dict[str, str]) -> None:
        for key in [key for key in attributes if "}" in key]:
            attributes[local(key)] = attributes.pop(key)
        steps.append((local(element), attributes, "".join(texts)))
        texts.clear()

    def end(element: str) -> None:
        steps.append((local(element), None, "".join(texts)))
        texts.clear()

    parser, count = Parser(begin, end, texts.append), 0
    for chunk in archive.read(name):
        parser.feed(chunk, name, texts)
        count += len(steps)
        if count > archive.limits.elements * 2:
            raise NotReadable(f"a part of the workbook has more than {archive.limits.elements} elements", field="$")
        yield from steps
        steps.clear()


@lru_cache(1024)
def local(name: str) -> str:
    """A name without its namespace or prefix."""
    return name.rpartition("}")[2].rpartition(":")[2]
