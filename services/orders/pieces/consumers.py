"""What orders does on hearing of pieces."""

from __future__ import annotations

from sqlalchemy.orm import Session

from chassis.auth import Caller
from events.catalog import PieceDescribed
from services.orders.pieces import commands


def on_piece_described(session: Session, caller: Caller, event: PieceDescribed) -> None:
    """Keep the piece as it stands."""
    commands.describe_piece(session, event)


HANDLERS = {PieceDescribed: on_piece_described}
