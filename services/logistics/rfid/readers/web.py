"""What the web process remembers of readers between requests: their clocks."""

from __future__ import annotations

from flask import current_app

from services.logistics.rfid.readers.posting import Clocks


def clocks_of_app() -> Clocks:
    """The clocks of the readers that post to this process."""
    return current_app.extensions.setdefault("reader_clocks", Clocks())
