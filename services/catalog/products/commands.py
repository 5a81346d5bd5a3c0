"""Makes and changes pieces, always many at a time: a bounded number of statements whatever their number."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from chassis import clock
from chassis.auth import Caller
from chassis.database import get_many, project_many
from chassis.messages import emit
from events.catalog import PieceDescribed
from events.orders import OfferDescribed
from services.catalog.base import lock_uploads
from services.catalog.certificates.model import find_block
from services.catalog.certificates.queries import find_batches
from services.catalog.markets.pack import Pack
from services.catalog.markets.queries import pack_of
from services.catalog.products.model import FREE, Draft, Facts, OfferedPieces, PassedPiece, Piece, PieceChange
from services.catalog.products.queries import find_certified, find_handled, find_mine, find_offered, find_tagged
from services.catalog.products.tag import UPLOAD, bind_tags, retire_tags

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

    Numbers and tags are each in one draft only. Refused, one by one: a tag on another piece, a piece that was sold, the
    change of one that is offered or in a deal, and of a tag that the warehouse has seen to. Uploads of one company wait
    for each other.
    """
    outcome = Outcome()
    lock_uploads(session, caller.party_id)
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
    facts = _find_facts(session, caller.party_id, pack, [*new, *(draft for _, draft in changed)])
    _add(session, caller, pack, new, facts)
    outcome.created = len(new)
    if changed:
        _change(session, caller, pack, changed, {number: id for number, (id, _) in known.items()}, facts, outcome)
    return outcome


def _find_facts(session: Session, maker_id: str, pack: Pack, drafts: Sequence[Draft]) -> dict[str, Facts]:
    """What the market makes of drafts, by their numbers."""
    rule = pack.certificate
    names = {draft.number: draft.attributes.get(rule.number) if rule else None for draft in drafts}
    batches = find_batches(session, maker_id, [name for name in names.values() if name]) if any(names.values()) else {}
    return {
        draft.number: Facts(
            title=pack.title_of(draft.attributes),
            theoretical=pack.weigh(draft.attributes),
            certificate_no=(name := names[draft.number]),
            blocked=find_block(rule, draft.attributes, batches.get(name or "")),
        )
        for draft in drafts
    }


def _add(session: Session, caller: Caller, pack: Pack, drafts: Sequence[Draft], facts: dict[str, Facts]) -> None:
    pieces = [_make(caller, pack, draft, facts[draft.number]) for draft in drafts]
    session.add_all(pieces)
    session.flush()
    bind_tags(session, caller, {piece.id: piece.epc for piece in pieces if piece.epc}, source=UPLOAD, reason=None)
    for piece in pieces:
        describe(session, piece)


def _make(caller: Caller, pack: Pack, draft: Draft, facts: Facts) -> Piece:
    now = clock.now()
    return Piece(
        id=clock.new_id("piece"),
        version=1,
        market=pack.market,
        maker_id=caller.party_id,
        owner_id=caller.party_id,
        warehouse_id=draft.warehouse_id,
        number=draft.number,
        title=facts.title,
        attributes=draft.attributes,
        net=draft.net,
        gross=draft.gross,
        epc=draft.epc,
        theoretical=facts.theoretical,
        certificate_no=facts.certificate_no,
        blocked=facts.blocked,
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
    facts: dict[str, Facts],
    outcome: Outcome,
) -> None:
    wanted = [ids[draft.number] for _, draft in changed]
    pieces = {piece.number: piece for piece in get_many(session, Piece, wanted, caller)}
    offered, handled = find_offered(session, wanted), find_handled(session, wanted)
    moved: dict[str, str] = {}
    for place, draft in changed:
        piece = pieces[draft.number]
        reason = _find_refusal(caller, pack, piece, draft, offered, handled)
        if reason is not None:
            outcome.refused.append((place, *reason))
            continue
        if draft.epc and draft.epc != piece.epc:
            moved[piece.id] = draft.epc
        if keep_change(session, caller, piece, piece.change(draft, facts[draft.number], clock.now())):
            outcome.updated += 1
        else:
            outcome.unchanged += 1
    if moved:
        retire_tags(session, caller, moved, source=UPLOAD, reason=None)
        bind_tags(session, caller, moved, source=UPLOAD, reason=None)


def _find_refusal(
    caller: Caller, pack: Pack, piece: Piece, draft: Draft, offered: set[str], handled: set[str]
) -> tuple[str, str] | None:
    """Why a draft may not change a piece: column and reason."""
    if piece.owner_id != caller.party_id:
        return "number", "the piece was sold: its data no longer change"
    if piece.market != pack.market:
        return "number", f"the piece is in the market {piece.market!r}"
    if piece.id in offered:
        return "number", "the piece is offered or in a deal: its data cannot change now"
    if piece.id in handled and draft.epc and draft.epc != piece.epc:
        return "epc", "the warehouse has seen to the tag of this piece: only it can change it"
    return None


def keep_change(session: Session, caller: Caller, piece: Piece, changes: dict[str, list[Any]]) -> bool:
    """Remember what changed in a piece and tell it; whether anything did."""
    if changes:
        session.add(_remember(caller, piece, changes))
        describe(session, piece)
    return bool(changes)


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


def review_pieces(session: Session, caller: Caller, certificate_no: str) -> None:
    """Block or free the pieces that the caller's company made under a certificate, as this now stands."""
    batches = find_batches(session, caller.party_id, [certificate_no])
    ids = find_certified(session, caller.party_id, certificate_no)
    for piece in get_many(session, Piece, ids, caller) if ids else []:
        reason = find_block(pack_of(piece.market).certificate, piece.attributes, batches.get(certificate_no))
        keep_change(session, caller, piece, piece.block(reason, clock.now()))


def pass_pieces(session: Session, caller: Caller, deal_id: str, piece_ids: Iterable[str], *, buyer_id: str) -> None:
    """Make delivered pieces of a deal the buyer's, each once however often a deal says so."""
    rows = [{"deal_id": deal_id, "piece_id": id} for id in sorted(set(piece_ids))]
    if not rows:
        return
    once = insert(PassedPiece).values(rows).on_conflict_do_nothing().returning(PassedPiece.piece_id)
    fresh = list(session.scalars(once))
    for piece in get_many(session, Piece, fresh, caller) if fresh else []:
        keep_change(session, caller, piece, piece.pass_to(buyer_id, clock.now()))


def note_offers(session: Session, events: Iterable[OfferDescribed]) -> None:
    """Keep which pieces offers hold: the free ones while it is open, those in its deals whatever its state."""
    rows = [
        {"offer_id": event.offer_id, "version": event.version, "piece_ids": sorted(_held_by(event))} for event in events
    ]
    project_many(session, OfferedPieces, ["offer_id"], rows)


def _held_by(offer: OfferDescribed) -> list[str]:
    return [*(offer.piece_ids if offer.state in OPEN_OFFER else []), *offer.taken_piece_ids]


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
        theoretical=piece.theoretical,
        blocked=piece.blocked,
    )
    emit(session, event, of=piece)
