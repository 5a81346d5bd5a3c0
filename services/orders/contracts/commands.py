"""Draws agreements, takes signatures under them and voids them; deals call these, holding the deal's lock."""

from __future__ import annotations

from typing import Any

from sqlalchemy.orm import Session

from chassis import clock
from chassis.auth import Caller
from chassis.database import get
from events.orders import Side
from services.orders.contracts.model import Agreement, State, hash_body, write_body


def draw(session: Session, deal_id: str, *, buyer_id: str, seller_id: str, facts: dict[str, Any]) -> None:
    """Write down what was agreed, for both sides to sign."""
    body = write_body(facts)
    session.add(
        Agreement(
            id=deal_id,
            state=State.DRAWN,
            buyer_id=buyer_id,
            seller_id=seller_id,
            body=body,
            sha256=hash_body(body),
            drawn_at=clock.now(),
        )
    )


def sign(session: Session, caller: Caller, deal_id: str, side: Side, sha256: str) -> Agreement:
    """Sign for one side. Raises NotFound, WrongHash, AlreadySigned or IllegalMove."""
    agreement = get(session, Agreement, deal_id, caller)
    agreement.sign(side, user_id=caller.user_id, sha256=sha256, now=clock.now())
    return agreement


def void(session: Session, caller: Caller, deal_id: str) -> list[Side]:
    """End the agreement of a deal that not both have signed in time; who had."""
    agreement = get(session, Agreement, deal_id, caller)
    agreement.move("void")
    return agreement.signers
