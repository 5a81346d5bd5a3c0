"""What a file is by its content: PDF, JPEG, PNG, WebP and MP4, whole and of a bounded size."""

from __future__ import annotations

from collections.abc import Callable

MAX_BYTES = 10 << 20
MAX_VIDEO_BYTES = 15 << 20
PDF, JPEG, PNG, WEBP, MP4 = "application/pdf", "image/jpeg", "image/png", "image/webp", "video/mp4"
EXTENSIONS = {PDF: "pdf", JPEG: "jpg", PNG: "png", WEBP: "webp", MP4: "mp4"}
DOCUMENT_TYPES = (PDF, JPEG, PNG, WEBP)
MEDIA_TYPES = (JPEG, PNG, WEBP, MP4)
ALL_TYPES = tuple(EXTENSIONS)
_TAIL = 2048
_MOST_BOXES = 10_000


def find_flaw(body: bytes, media_type: str) -> str | None:
    """Why the file is not a whole one of the type that it was sent as, and not too large; None where it is."""
    found = find_type(body)
    if found != media_type:
        return f"the content is {found or 'none of these'}, sent as {media_type}"
    if len(body) > (most := MAX_VIDEO_BYTES if media_type == MP4 else MAX_BYTES):
        return f"the file is larger than {most >> 20} MiB"
    return None if _IS_WHOLE[media_type](body) else "the end of the file is missing"


def find_type(body: bytes) -> str | None:
    """The media type that the first bytes of a file tell."""
    if body.startswith(b"%PDF-"):
        return PDF
    if body.startswith(b"\xff\xd8\xff"):
        return JPEG
    if body.startswith(b"\x89PNG\r\n\x1a\n"):
        return PNG
    if body[:4] == b"RIFF" and body[8:12] == b"WEBP":
        return WEBP
    return MP4 if body[4:8] == b"ftyp" else None


def _ends_with(mark: bytes) -> Callable[[bytes], bool]:
    return lambda body: mark in body[-_TAIL:]


def _fills_its_riff(body: bytes) -> bool:
    """RIFF states how many bytes follow its own first eight."""
    return int.from_bytes(body[4:8], "little") + 8 == len(body)


def _is_made_of_boxes(body: bytes) -> bool:
    """Whether boxes of ISO/IEC 14496-12 follow each other to the very end, with a movie among them."""
    at, kinds = 0, set()
    for _ in range(_MOST_BOXES):
        size, kinds = int.from_bytes(body[at : at + 4]), kinds | {body[at + 4 : at + 8]}
        if size == 1:
            size = int.from_bytes(body[at + 8 : at + 16])
        elif size == 0:
            size = len(body) - at
        if size < 8 or at + size > len(body):
            return False
        if (at := at + size) == len(body):
            return b"moov" in kinds
    return False


_IS_WHOLE: dict[str, Callable[[bytes], bool]] = {
    PDF: _ends_with(b"%%EOF"),
    JPEG: _ends_with(b"\xff\xd9"),
    PNG: _ends_with(b"IEND\xaeB`\x82"),
    WEBP: _fills_its_riff,
    MP4: _is_made_of_boxes,
}
