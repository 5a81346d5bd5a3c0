"""The small market of docs/markets.md, read from the page: what stands there is true."""

from __future__ import annotations

import re
from pathlib import Path

from services.catalog.markets.loader import read_pack
from services.catalog.markets.pack import Pack

PAGE = Path(__file__).resolve().parents[3] / "docs" / "markets.md"
TEA = re.findall(r"```toml\n(.*?)```", PAGE.read_text(), re.DOTALL)[0]


def read_tea(*changes: tuple[str, str]) -> Pack:
    """The market with some texts replaced, each of which must be there."""
    text = TEA
    for before, after in changes:
        assert before in text, before
        text = text.replace(before, after, 1)
    return read_pack("tea.toml", text.encode())
