"""The agreement of a deal: canonical text drawn from frozen terms, its SHA-256, and the signatures of both sides.

A text never changes once it is drawn: a trigger in the database refuses it too. Its deadline is its deal's.
"""

from __future__ import annotations

import hashlib
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any

import msgspec
from sqlalchemy import DDL, ColumnElement, ForeignKey, event, or_, true
from sqlalchemy.orm import Mapped, mapped_column

from chassis.auth import Caller
from chassis.problems import Conflict
from chassis.states import Move, Stateful, state_column
from chassis.values import write_wire
from events.orders import Side
from services.orders.base import Base

FORMAT = "haihe.agreement.v1"


class WrongHash(Conflict):
    """What would be signed is not this agreement."""


class AlreadySigned(Conflict):
    """This side has signed already."""


class State(StrEnum):
    """Where an agreement stands; a void one belongs to a deal that ended before both had signed."""

    DRAWN = "drawn"
    PARTLY_SIGNED = "partly_signed"
    SIGNED = "signed"
    VOID = "void"


class Agreement(Stateful, Base):
    """What both sides of a deal put their names to; its id is the deal's."""

    __tablename__ = "agreement"

    moves = {
        "sign_first": Move(State.DRAWN, to=State.PARTLY_SIGNED),
        "sign_second": Move(State.PARTLY_SIGNED, to=State.SIGNED),
        "void": Move(State.DRAWN, State.PARTLY_SIGNED, to=State.VOID),
    }
    initial = State.DRAWN
    final = frozenset({State.SIGNED, State.VOID})

    id: Mapped[str] = mapped_column(ForeignKey("deal.id"), primary_key=True)
    state: Mapped[State] = state_column(State)
    buyer_id: Mapped[str]
    seller_id: Mapped[str]
    body: Mapped[str]
    sha256: Mapped[str]
    drawn_at: Mapped[datetime]
    buyer_signed_by: Mapped[str | None]
    buyer_signed_at: Mapped[datetime | None]
    seller_signed_by: Mapped[str | None]
    seller_signed_at: Mapped[datetime | None]

    @classmethod
    def visible_to(cls, caller: Caller) -> ColumnElement[bool]:
        if caller.is_operator:
            return true()
        return or_(cls.buyer_id == caller.party_id, cls.seller_id == caller.party_id)

    @property
    def is_signed(self) -> bool:
        """Whether both sides have signed."""
        return self.state == State.SIGNED

    @property
    def signers(self) -> list[Side]:
        """The sides that have signed."""
        signed: dict[Side, str | None] = {"buyer": self.buyer_signed_by, "seller": self.seller_signed_by}
        return [side for side, user_id in signed.items() if user_id is not None]

    def sign(self, side: Side, *, user_id: str, sha256: str, now: datetime) -> None:
        """Put a signatory's name under the text that was seen. Raises WrongHash, AlreadySigned or IllegalMove."""
        if sha256.lower() != self.sha256:
            raise WrongHash("read the agreement again", sha256=self.sha256, field="$.sha256")
        if getattr(self, f"{side}_signed_by") is not None:
            raise AlreadySigned(f"the {side} signed at {getattr(self, f'{side}_signed_at'):%Y-%m-%d %H:%M:%SZ}")
        self.move("sign_first" if self.state == State.DRAWN else "sign_second")
        setattr(self, f"{side}_signed_by", user_id)
        setattr(self, f"{side}_signed_at", now)


def write_body(facts: dict[str, Any]) -> str:
    """Canonical JSON of what was agreed: keys sorted, no spaces, decimals as strings; same facts, same text."""
    encoder = msgspec.json.Encoder(order="sorted", enc_hook=_write_plain, decimal_format="string")
    return encoder.encode({"format": FORMAT, **facts}).decode()


def _write_plain(value: Any) -> Any:
    return format(value, "f") if isinstance(value, Decimal) else write_wire(value)


def hash_body(body: str) -> str:
    """The SHA-256 of a text's UTF-8 bytes, in lower-case hex."""
    return hashlib.sha256(body.encode()).hexdigest()


KEEP_TEXT = (
    """
    CREATE FUNCTION keep_agreement_text() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF TG_OP = 'DELETE' OR (NEW.id, NEW.body, NEW.sha256) IS DISTINCT FROM (OLD.id, OLD.body, OLD.sha256)
           OR OLD.buyer_signed_by IS NOT NULL AND (NEW.buyer_signed_by, NEW.buyer_signed_at)
              IS DISTINCT FROM (OLD.buyer_signed_by, OLD.buyer_signed_at)
           OR OLD.seller_signed_by IS NOT NULL AND (NEW.seller_signed_by, NEW.seller_signed_at)
              IS DISTINCT FROM (OLD.seller_signed_by, OLD.seller_signed_at) THEN
            RAISE EXCEPTION 'the text and the signatures of an agreement never change';
        END IF;
        RETURN NEW;
    END $$
    """,
    """
    CREATE TRIGGER keep_agreement_text BEFORE UPDATE OR DELETE ON agreement
    FOR EACH ROW EXECUTE FUNCTION keep_agreement_text()
    """,
)
"""The statements that make the database refuse to change a text or a signature."""

for statement in KEEP_TEXT:
    event.listen(Agreement.__table__, "after_create", DDL(statement))
