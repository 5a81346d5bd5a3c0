"""Makes and changes pieces, always many at a time: a bounded number of statements whatever their number."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from chassis import clock
from chassis.auth import Caller
from chassis.database import get_many, project
from chassis.messages import emit
from events.catalog import PieceDescribed
from events.orders import OfferDescribed
from services.catalog.markets.pack import Pack
from services.catalog.products.model import FREE, Draft, OfferedPieces, Piece, PieceChange
from services.catalog.products.queries import find_mine, find_offered, find_tagged

OPEN_OFFER = ("listed", "partly_taken")


@dataclass
class Outcome:
    """What became of drafts: how many were taken in and how, and why others were not, by their place and column."""

    created: int = 0
    updated: int = 0
    unchanged: int = 0
    refused: list[tuple[int, str, str]] = field(default_factory=list)


def describe_pieces(session: Session, caller: Caller, pack: Pack, drafts: Sequence[Draft]) -> Outcome:
    """Make the caller's pieces or change them as the drafts say; a draft that says what is there already changes
    nothing.

    Numbers and tags are each in one draft only. Refused, one by one: a tag on another piece, a piece that was sold, and
    the change of one that is offered or in a deal. Uploads of one company wait for each other.
    """
    outcome = Outcome()
    session.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(caller.party_id, 0))))
    known = find_mine(session, caller.party_id, [draft.number for draft in drafts])
    tagged = find_tagged(session, [draft.epc for draft in drafts if draft.epc])
    new: list[Draft] = []
    changed: list[tuple[int, Draft]] = []
    for place, draft in enumerate(drafts):
        id, digest = known.get(draft.number, (None, None))
        if digest == draft.digest:
            outcome.unchanged += 1
        elif draft.epc and tagged.get(draft.epc, id) != id:
            outcome.refused.append((place, "epc", "the tag is on another piece already"))
        elif id is None:
            new.append(draft)
        else:
            changed.append((place, draft))
    _add(session, caller, pack, new)
    outcome.created = len(new)
    if changed:
        _change(session, caller, pack, changed, {number: id for number, (id, _) in known.items()}, outcome)
    return outcome


def _add(session: Session, caller: Caller, pack: Pack, drafts: Sequence[Draft]) -> None:
    pieces = [_make(caller, pack, draft) for draft in drafts]
    session.add_all(pieces)
    session.flush()
    for piece in pieces:
        describe(session, piece)


def _make(caller: Caller, pack: Pack, draft: Draft) -> Piece:
    now = clock.now()
    return Piece(
        id=clock.new_id("piece"),
        version=1,
        market=pack.market,
        maker_id=caller.party_id,
        owner_id=caller.party_id,
        warehouse_id=draft.warehouse_id,
        number=draft.number,
        title=pack.title_of(draft.attributes),
        attributes=draft.attributes,
        net=draft.net,
        gross=draft.gross,
        epc=draft.epc,
        digest=draft.digest,
        made_at=now,
        changed_at=now,
    )


def _change(
    session: Session,
    caller: Caller,
    pack: Pack,
    changed: list[tuple[int, Draft]],
    ids: dict[str, str],
    outcome: Outcome,
) -> None:
    wanted = [ids[draft.number] for _, draft in changed]
    pieces = {piece.number: piece for piece in get_many(session, Piece, wanted, caller)}
    offered = find_offered(session, wanted)
    history: list[PieceChange] = []
    for place, draft in changed:
        piece = pieces[draft.number]
        if piece.owner_id != caller.party_id:
            outcome.refused.append((place, "number", "the piece was sold: its data no longer change"))
        elif piece.market != pack.market:
            outcome.refused.append((place, "number", f"the piece is in the market {piece.market!r}"))
        elif piece.id in offered:
            outcome.refused.append((place, "number", "the piece is offered or in a deal: its data cannot change now"))
        else:
            changes = piece.change(draft, pack.title_of(draft.attributes), clock.now())
            history.append(_remember(caller, piece, changes))
            describe(session, piece)
    session.add_all(history)
    outcome.updated = len(history)


def _remember(caller: Caller, piece: Piece, changes: dict[str, list[Any]]) -> PieceChange:
    return PieceChange(
        id=clock.new_id("change"),
        piece_id=piece.id,
        version=piece.version,
        owner_id=piece.owner_id,
        user_id=caller.user_id,
        at=piece.changed_at,
        changes=changes,
    )


def pass_pieces(session: Session, caller: Caller, piece_ids: Iterable[str], *, buyer_id: str) -> None:
    """Make delivered pieces of a deal the buyer's."""
    for piece in get_many(session, Piece, piece_ids, caller):
        if piece.owner_id != buyer_id:
            session.add(_remember(caller, piece, piece.pass_to(buyer_id, clock.now())))
            describe(session, piece)


def note_offer(session: Session, event: OfferDescribed) -> None:
    """Keep which pieces an offer holds: the free ones while it is open, those in its deals whatever its state."""
    held = [*(event.piece_ids if event.state in OPEN_OFFER else []), *event.taken_piece_ids]
    project(session, OfferedPieces, {"offer_id": event.offer_id}, event.version, piece_ids=sorted(held))


def describe(session: Session, piece: Piece) -> None:
    """Tell what a piece is like, as it stands."""
    event = PieceDescribed(
        piece_id=piece.id,
        version=piece.version,
        market=piece.market,
        maker_id=piece.maker_id,
        owner_id=piece.owner_id,
        number=piece.number,
        title=piece.title,
        attributes=piece.attributes,
        net=piece.net,
        gross=piece.gross,
        warehouse_id=piece.warehouse_id,
        epc=piece.epc,
        state=FREE,
    )
    emit(session, event, of=piece)
