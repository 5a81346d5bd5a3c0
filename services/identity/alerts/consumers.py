"""What identity does on hearing that a saved search found something."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy.orm import Session

from chassis.auth import Caller
from chassis.service import together
from events.catalog import SearchMatched
from services.identity.alerts import commands


@together
def on_searches_matched(session: Session, caller: Caller, events: Sequence[SearchMatched]) -> None:
    """Collect it for a mail to who saved the search."""
    commands.collect_matches(session, caller, events)


HANDLERS = {SearchMatched: on_searches_matched}
