"""An inspection certificate as a mill's laboratory prints it: a PDF of one page with a text layer that names the heats."""

from __future__ import annotations

from collections.abc import Sequence


def write_certificate(number: str, heats: Sequence[str]) -> bytes:
    """The file; numbers and heats are plain ASCII. The layout is the smallest that ISO 32000-1 allows."""
    lines = ["Inspection certificate 3.1 EN 10204", f"No. {number}", *(f"Heat {heat}" for heat in heats)]
    shown = "".join(f"({_escape(line)}) Tj 0 -18 Td " for line in lines)
    page = f"BT /F1 12 Tf 60 780 Td {shown}ET".encode("ascii")
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R "
        b"/Resources << /Font << /F1 5 0 R >> >> >>",
        b"<< /Length %d >>\nstream\n%s\nendstream" % (len(page), page),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    ]
    file, offsets = b"%PDF-1.4\n", []
    for number_of, body in enumerate(objects, 1):
        offsets.append(len(file))
        file += b"%d 0 obj\n%s\nendobj\n" % (number_of, body)
    table = b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    size = len(objects) + 1
    end = b"xref\n0 %d\n0000000000 65535 f \n%strailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n"
    return file + end % (size, table, size, len(file))


def _escape(text: str) -> str:
    return text.replace("\\", r"\\").replace("(", r"\(").replace(")", r"\)")
