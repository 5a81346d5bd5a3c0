"""A pick-up note (提货单): the seller's word to the warehouse that one truck may take goods of a deal until a day.

Whoever brings the truck shows its one-time code. In delivered mode it is the seller's dispatch order.
"""

from __future__ import annotations

import hmac
import secrets
from collections import Counter
from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, ClassVar

from sqlalchemy import ColumnElement, Index, or_, true
from sqlalchemy.orm import Mapped, mapped_column

from chassis import database
from chassis.auth import Caller
from chassis.problems import Conflict, Invalid
from chassis.states import Move, Stateful, state_column
from chassis.values import Quantity
from services.logistics.base import Base

CODE_DIGITS = 8
MOST_WRONG_CODES = 5
"""A guess at one of 10^8 codes is right in one note of 20 million; then the seller must renew the code."""


class NotValidLong(Invalid):
    """A pick-up note is valid for a time from now on, until the last day of delivery at most."""


class PartsDiffer(Invalid):
    """The parts of a split are together what the note is over, each thing once."""


class PieceNoted(Conflict):
    """A piece is in another open pick-up note."""


class NoteNotOpen(Conflict):
    """The pick-up note is used, split, void or expired."""


class WrongCode(Invalid):
    """This is not the code of the pick-up note."""


class CodeLocked(Conflict):
    """Too many wrong codes were given for the pick-up note: its seller must renew the code."""


class State(StrEnum):
    """Where a note stands."""

    ISSUED = "issued"
    SPLIT = "split"
    USED = "used"
    VOID = "void"
    EXPIRED = "expired"


class PickupNote(Stateful, Base):
    """A pick-up note over pieces or a weight of a deal, for one truck.

    ``valid_from`` is when its present code was made. The code is shown to seller and buyer while it is open.
    """

    __tablename__ = "pickup_note"

    moves: ClassVar[dict[str, Move]] = {
        "split": Move(State.ISSUED, to=State.SPLIT),
        "use": Move(State.ISSUED, to=State.USED),
        "void": Move(State.ISSUED, to=State.VOID),
        "expire": Move(State.ISSUED, to=State.EXPIRED),
    }
    initial = State.ISSUED
    final = frozenset({State.SPLIT, State.USED, State.VOID, State.EXPIRED})
    waits = frozenset({State.ISSUED})

    id: Mapped[str] = mapped_column(primary_key=True)
    deal_id: Mapped[str] = mapped_column(index=True)
    parent_id: Mapped[str | None] = mapped_column(index=True)
    seller_id: Mapped[str] = mapped_column(index=True)
    buyer_id: Mapped[str] = mapped_column(index=True)
    warehouse_id: Mapped[str] = mapped_column(index=True)
    quantity: Mapped[Quantity] = database.quantity("quantity")
    plate: Mapped[str]
    driver: Mapped[str]
    code: Mapped[str]
    wrong_codes: Mapped[int]
    state: Mapped[State] = state_column(State)
    due_at: Mapped[datetime | None] = mapped_column(index=True)
    issued_at: Mapped[datetime]
    valid_from: Mapped[datetime]
    valid_until: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    reason: Mapped[str | None]

    @classmethod
    def visible_to(cls, caller: Caller) -> ColumnElement[bool]:
        if caller.is_operator:
            return true()
        return or_(*(column == caller.party_id for column in (cls.buyer_id, cls.seller_id, cls.warehouse_id)))

    def is_due(self, at: datetime) -> bool:
        """Whether its validity has passed while it was open."""
        return self.due_at is not None and self.due_at <= at

    def code_for(self, caller: Caller) -> str | None:
        """The code, for seller and buyer and while it is of use: nobody else is told."""
        may_know = caller.party_id in (self.seller_id, self.buyer_id)
        return self.code if may_know and self.state == State.ISSUED else None

    @property
    def tries_left(self) -> int:
        """How many wrong codes may still be given."""
        return max(0, MOST_WRONG_CODES - self.wrong_codes)

    def check_is_open(self, at: datetime) -> None:
        """Raises NoteNotOpen, even when the timer is late."""
        if self.state != State.ISSUED or self.is_due(at):
            state = State.EXPIRED if self.is_due(at) else self.state
            raise NoteNotOpen(f"it is {state}", state=str(state))

    def try_code(self, code: str) -> WrongCode | CodeLocked | None:
        """Compare a code in constant time and count a wrong one; what to refuse with, or None when it is right."""
        if self.wrong_codes >= MOST_WRONG_CODES:
            return CodeLocked(f"{self.wrong_codes} wrong codes were given", field="$.code")
        if hmac.compare_digest(code.encode(), self.code.encode()):
            return None
        self.wrong_codes += 1
        return WrongCode(f"{self.tries_left} tries are left", field="$.code", tries_left=self.tries_left)

    def renew_code(self, at: datetime) -> None:
        """A new code instead of the present one. Raises NoteNotOpen."""
        self.check_is_open(at)
        self.code, self.wrong_codes, self.valid_from = make_code(), 0, at

    def end(self, move: str, at: datetime, reason: str | None = None) -> None:
        """It is split, used, void or expired, by the name of the move. Raises IllegalMove."""
        self.move(move)
        self.ended_at, self.reason, self.due_at = at, reason, None

    def was_open_for(self, period: timedelta) -> bool:
        """Whether it expired and could have been used for a time before: then the goods were there to be fetched."""
        return self.state == State.EXPIRED and min(self.valid_until, self.ended_at) - self.valid_from >= period


class Claim(StrEnum):
    """What a note has of a piece: it is open over it, a truck took it, or it let it go again."""

    OPEN = "open"
    TAKEN = "taken"
    FREED = "freed"


def piece_noted() -> PieceNoted:
    """What a caller is told who lost a race for a piece."""
    return PieceNoted("another note was issued for it at the same time")


class NotePiece(Base):
    """A piece of a note, as the deal named and weighed it. A piece is in one open note at a time."""

    __tablename__ = "note_piece"
    __table_args__ = (
        Index("uq_note_piece_open", "piece_id", unique=True, postgresql_where="claim = 'open'"),
        Index("ix_note_piece_piece", "piece_id"),
    )
    constraint_problems: ClassVar[dict[str, Any]] = {"uq_note_piece_open": piece_noted}

    note_id: Mapped[str] = mapped_column(primary_key=True)
    piece_id: Mapped[str] = mapped_column(primary_key=True)
    deal_id: Mapped[str] = mapped_column(index=True)
    number: Mapped[str]
    net: Mapped[Quantity] = database.quantity("net")
    claim: Mapped[Claim] = state_column(Claim)


def make_code() -> str:
    """A code that nobody can guess."""
    return f"{secrets.randbelow(10**CODE_DIGITS):0{CODE_DIGITS}d}"


def check_validity(valid_until: datetime, *, now: datetime, deliver_by: datetime) -> None:
    """Raises NotValidLong."""
    if not now < valid_until <= deliver_by:
        raise NotValidLong(f"it is {now.isoformat()}", field="$.valid_until", latest=deliver_by)


def check_pieces_add_up(noted: Collection[str], parts: Sequence[Sequence[str]]) -> None:
    """Whether parts name each piece of a note once. Raises PartsDiffer (``pieces``)."""
    named = Counter(piece_id for part in parts for piece_id in part)
    differing = set(noted) ^ named.keys() | {piece_id for piece_id, times in named.items() if times > 1}
    if differing or not all(parts):
        raise PartsDiffer("each part has pieces, each piece is in one part", pieces=sorted(differing), field="$.parts")


def check_weights_add_up(noted: Quantity, parts: Sequence[Quantity]) -> None:
    """Whether quantities above zero come to what a note is over. Raises PartsDiffer or UnitMismatch."""
    named = sum(parts[1:], parts[0]).to(noted.unit)
    if named != noted or not all(parts):
        raise PartsDiffer(f"the parts come to {named} and the note is over {noted}", field="$.parts")
