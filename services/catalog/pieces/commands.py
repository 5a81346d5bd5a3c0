"""Describes pieces, always many at a time: a bounded number of statements whatever their number, and no object for each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple

from msgspec.structs import replace
from sqlalchemy.orm import Session

from chassis import clock
from chassis.auth import Caller
from chassis.messages import emit_many
from events.catalog import PieceDescribed
from services.catalog.base import lock_uploads
from services.catalog.certificates.model import find_block
from services.catalog.certificates.queries import find_batches
from services.catalog.documents.papers import FREE as UNBLOCKED
from services.catalog.documents.papers import find_standing
from services.catalog.documents.queries import find_papers
from services.catalog.markets.pack import Pack
from services.catalog.markets.queries import version_of
from services.catalog.markets.rules import DocumentRule
from services.catalog.pieces.model import FREE, Draft, Facts, content_of
from services.catalog.pieces.queries import find_handled, find_mine, find_offered, find_tagged
from services.catalog.pieces.rows import Change, Row, add_rows, change_rows, lock_rows
from services.catalog.pieces.tag import UPLOAD, bind_tags, retire_tags
from services.catalog.products.kinds import Kind, kinds_of
from services.catalog.products.model import find_changes
from services.catalog.products.queries import find_described


@dataclass
class Outcome:
    """What became of drafts: how many were taken in and how, and why others were not, by their place and column."""

    created: int = 0
    updated: int = 0
    unchanged: int = 0
    refused: list[tuple[int, str, str]] = field(default_factory=list)


class _Told(NamedTuple):
    """A draft that says something new, at its place among the drafts; ``id`` is that of the piece that there is."""

    place: int
    draft: Draft
    digest: str
    kind: Kind | None
    id: str | None


def describe_pieces(session: Session, caller: Caller, pack: Pack, drafts: Sequence[Draft]) -> Outcome:
    """Make the caller's pieces or change them as the drafts say; a draft that says what is there already changes
    nothing.

    Numbers and tags are each in one draft only. Refused, one by one: a tag on another piece, a piece that was sold, the
    change of one that is offered or in a deal, and of a tag that the warehouse has seen to, a product that is not the
    caller's or is not what the piece is. Uploads of one company wait for each other.
    """
    outcome = Outcome()
    lock_uploads(session, caller.party_id)
    known = find_mine(session, caller.party_id, [draft.number for draft in drafts])
    tagged = find_tagged(session, [draft.epc for draft in drafts if draft.epc])
    products = find_described(session, caller.party_id, pack.market, [d.product_id for d in drafts if d.product_id])
    find_kind = kinds_of(pack).find
    told: list[_Told] = []
    for place, draft in enumerate(drafts):
        id, known_digest = known.get(draft.number, (None, None))
        digest = draft.digest
        if known_digest == digest:
            outcome.unchanged += 1
        elif draft.epc and tagged.get(draft.epc, id) != id:
            outcome.refused.append((place, "epc", "the tag is on another piece already"))
        elif draft.product_id and (refusal := _find_misfit(draft, products.get(draft.product_id))):
            outcome.refused.append((place, *refusal))
        else:
            told.append(_Told(place, draft, digest, find_kind(draft.attributes), id))
    facts = _find_facts(session, caller.party_id, pack, told)
    _add(session, caller, pack, [each for each in told if each.id is None], facts, outcome)
    _change(session, caller, pack, {each.id: each for each in told if each.id is not None}, facts, outcome)
    return outcome


def _find_misfit(draft: Draft, product: Mapping[str, str] | None) -> tuple[str, str] | None:
    """Why a piece is not one of the product that it names: column and reason. ``product`` are the attributes of this."""
    if product is None:
        return "product", "no product of yours in this market is called so"
    differing = (name for name, value in product.items() if draft.attributes.get(name, value) != value)
    name = next(differing, None)
    return (name, "is not what its product has") if name else None


def _find_facts(session: Session, maker_id: str, pack: Pack, told: Sequence[_Told]) -> dict[int, Facts]:
    """What the market makes of drafts, by their places."""
    rule = pack.certificate
    names = {name for each in told if rule and (name := each.draft.attributes.get(rule.number))}
    batches = find_batches(session, maker_id, names) if names else {}
    rules = {each.place: rules_of(each.kind, each.draft.attributes) for each in told}
    papers = find_papers(session, "piece", [each.id for each in told if each.id and rules[each.place]])
    version, now = version_of(session, pack), clock.now()
    facts = {}
    for place, draft, _, kind, id in told:
        attributes = draft.attributes
        name = attributes.get(rule.number) if rule else None
        standing = find_standing(rules[place], papers.get(id or "", ()), now) if rules[place] else UNBLOCKED
        facts[place] = Facts(
            title=kind.title(attributes) if kind else pack.title_of(attributes),
            theoretical=kind.weigh(attributes) if kind else None,
            certificate_no=name,
            blocked=find_block(rule, attributes, batches.get(name or "")) or standing.blocked,
            due_at=standing.due_at,
            market_version=version,
        )
    return facts


def rules_of(kind: Kind | None, attributes: dict[str, str]) -> list[DocumentRule]:
    """The documents that a piece should carry."""
    return kind.documents_of("piece", attributes) if kind else []


def _add(
    session: Session, caller: Caller, pack: Pack, new: Sequence[_Told], facts: Mapping[int, Facts], outcome: Outcome
) -> None:
    ids, now = clock.new_ids("piece", len(new)), clock.now()
    rows = [_make(id, caller, pack, told, facts[told.place], now) for id, told in zip(ids, new, strict=True)]
    add_rows(session, rows)
    bind_tags(session, caller, {row.id: row.epc for row in rows if row.epc}, source=UPLOAD, reason=None)
    emit_many(session, [say(row, told.kind) for row, told in zip(rows, new, strict=True)])
    outcome.created = len(rows)


def _make(id: str, caller: Caller, pack: Pack, told: _Told, facts: Facts, now: datetime) -> Row:
    return Row(
        id=id,
        version=1,
        market=pack.market,
        maker_id=caller.party_id,
        owner_id=caller.party_id,
        number=told.draft.number,
        epc=told.draft.epc,
        product_id=told.draft.product_id,
        made_at=now,
        changed_at=now,
        **_describe_as(told, facts),
    )


def _describe_as(told: _Told, facts: Facts) -> dict[str, Any]:
    """What a draft makes of a piece in any case, by column."""
    draft, theoretical = told.draft, facts.theoretical
    return {
        "warehouse_id": draft.warehouse_id,
        "title": facts.title,
        "attributes": draft.attributes,
        "net_value": draft.net.value,
        "net_unit": draft.net.unit,
        "gross_value": draft.gross.value,
        "gross_unit": draft.gross.unit,
        "theoretical_value": theoretical.value if theoretical is not None else None,
        "theoretical_unit": theoretical.unit if theoretical is not None else None,
        "certificate_no": facts.certificate_no,
        "blocked": facts.blocked,
        "due_at": facts.due_at,
        "market_version": facts.market_version,
        "digest": told.digest,
    }


def _change(
    session: Session,
    caller: Caller,
    pack: Pack,
    changed: Mapping[str, _Told],
    facts: Mapping[int, Facts],
    outcome: Outcome,
) -> None:
    if not changed:
        return
    rows, now = lock_rows(session, changed), clock.now()
    offered, handled = find_offered(session, changed), find_handled(session, changed)
    moved: dict[str, str] = {}
    kept, changes, events = [], [], []
    for id, told in changed.items():
        row, draft = rows[id], told.draft
        if (refusal := _find_refusal(caller, pack, row, draft, offered, handled)) is not None:
            outcome.refused.append((told.place, *refusal))
            continue
        if draft.epc and draft.epc != row.epc:
            moved[id] = draft.epc
        revised = _revise(row, told, facts[told.place])
        if found := find_changes(content_of(row), content_of(revised)):
            revised = replace(revised, version=row.version + 1, changed_at=now)
            changes.append((revised, found))
            events.append(say(revised, told.kind))
        # What is not told, such as the draft's digest, is kept even where nothing else is new.
        kept.append(revised)
    change_rows(session, kept, _remember(caller, changes))
    if moved:
        retire_tags(session, caller, moved, source=UPLOAD, reason=None)
        bind_tags(session, caller, moved, source=UPLOAD, reason=None)
    emit_many(session, events)
    outcome.updated = len(changes)
    outcome.unchanged += len(kept) - len(changes)


def _revise(row: Row, told: _Told, facts: Facts) -> Row:
    """A piece as a draft says. A draft without a tag or a product leaves that of the piece be."""
    epc, product_id = told.draft.epc or row.epc, told.draft.product_id or row.product_id
    return replace(row, epc=epc, product_id=product_id, **_describe_as(told, facts))


def _find_refusal(
    caller: Caller, pack: Pack, piece: Row, draft: Draft, offered: set[str], handled: set[str]
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


def _remember(caller: Caller, changed: Sequence[tuple[Row, dict[str, list[Any]]]]) -> list[Change]:
    """Rows of history: what changed in pieces, which count it already."""
    return [
        Change(
            id=id,
            piece_id=piece.id,
            version=piece.version,
            owner_id=piece.owner_id,
            user_id=caller.user_id,
            at=piece.changed_at,
            changes=changes,
        )
        for id, (piece, changes) in zip(clock.new_ids("change", len(changed)), changed, strict=True)
    ]


def say(piece: Any, kind: Kind | None) -> PieceDescribed:
    """What a piece or its row is like, as it stands, for others.

    ``kind`` is of the version of the market that it was described by, None for goods that it has no product type for.
    """
    return PieceDescribed(
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
        product_id=piece.product_id,
        market_version=piece.market_version,
        licences=kind.licences(piece.attributes) if kind else [],
    )
