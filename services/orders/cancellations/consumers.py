"""What orders does on hearing whether a part was let go of."""

from __future__ import annotations

from sqlalchemy.orm import Session

from chassis.auth import Caller
from events.logistics import RecallAnswered
from services.orders.cancellations import commands


def on_recall_answered(session: Session, caller: Caller, event: RecallAnswered) -> None:
    """The part is cancelled, or it was too late."""
    commands.hear_recall(session, caller, event.deal_id, event.recall_id, is_free=event.is_free)


HANDLERS = {RecallAnswered: on_recall_answered}
