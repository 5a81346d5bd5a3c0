"""Describes products, always many at a time: a bounded number of statements whatever their number, and no object for each."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

from msgspec.structs import replace
from sqlalchemy.orm import Session

from chassis import clock
from chassis.auth import Caller
from chassis.messages import emit_many
from events.catalog import ProductDescribed
from services.catalog.base import lock_uploads
from services.catalog.documents.papers import FREE, Standing, find_standing
from services.catalog.documents.queries import find_papers
from services.catalog.markets.pack import Pack
from services.catalog.markets.queries import version_of
from services.catalog.products.draft import Draft, Outcome, digest_of
from services.catalog.products.kinds import Kind, kinds_of
from services.catalog.products.model import Product, State, content_of, find_changes
from services.catalog.products.rows import Change, Known, Row, add_rows, change_rows, find_known, lock_rows

NO_TYPE = "no product type of this market fits these goods"
TWICE = "stands here twice: only the first was taken"
OTHER_MARKET = "a product of yours with this number is in another market"
RETIRED = "the product is retired: restore it first"
REFUSALS_ZH = {
    NO_TYPE: "本市场没有与之相符的产品类型",
    TWICE: "重复出现：只采用第一条",
    OTHER_MARKET: "贵公司使用此编号的产品属于另一个市场",
    RETIRED: "该产品已下架：请先恢复",
    "is missing": "未填写",
    "is not stated for goods of this type": "此类产品没有该属性",
}
"""What a draft is refused with, in Chinese."""


class _Told(NamedTuple):
    """A draft that says something new, at its place among the drafts."""

    place: int
    draft: Draft
    digest: str
    kind: Kind


def describe_products(session: Session, caller: Caller, pack: Pack, drafts: Sequence[Draft]) -> Outcome:
    """Make the caller's products or change them as the drafts say; one that says what is there already changes nothing.

    Refused, one by one: goods of no product type, attributes that are missing or do not belong to it, a number that
    stands twice here, that of a product of another market, or of a retired one. Where the market asks for it, what is
    to be published is submitted to the operator, and a change of what is published is proposed. Uploads of one company
    wait for each other.
    """
    outcome = Outcome(ids=[None] * len(drafts))
    lock_uploads(session, caller.party_id)
    known = find_known(session, caller.party_id, [draft.number for draft in drafts])
    new: list[_Told] = []
    changed: list[_Told] = []
    find_kind, seen = kinds_of(pack).find, set[str]()
    for place, draft in enumerate(drafts):
        kind, there = find_kind(draft.attributes), known.get(draft.number)
        if (refusals := _find_refusals(pack, kind, draft, there, seen)) or kind is None:
            outcome.refused += [(place, *refusal) for refusal in refusals]
            continue
        seen.add(draft.number)
        digest = digest_of(pack.market, draft.attributes, draft.texts, draft.gtin)
        if there is None:
            new.append(_Told(place, draft, digest, kind))
            continue
        outcome.ids[place] = there.id
        if there.digest == digest and not _is_to_publish(there.state, draft):
            outcome.unchanged += 1
        else:
            changed.append(_Told(place, draft, digest, kind))
    version = version_of(session, pack)
    _add(session, caller, version, new, outcome)
    _change(session, caller, version, changed, outcome)
    return outcome


def _find_refusals(
    pack: Pack, kind: Kind | None, draft: Draft, there: Known | None, seen: set[str]
) -> list[tuple[str, str]]:
    """Why a draft is not taken: columns and reasons."""
    if draft.number in seen:
        return [("number", TWICE)]
    if kind is None:
        return [(pack.types[0].attribute if pack.types else "number", NO_TYPE)]
    if there is not None and there.market != pack.market:
        return [("number", OTHER_MARKET)]
    if there is not None and there.state == State.RETIRED:
        return [("number", RETIRED)]
    return kind.find_mistakes(draft.attributes)


def _is_to_publish(state: str, draft: Draft) -> bool:
    return draft.state == "published" and state in Product.moves["publish"].from_states


def _add(session: Session, caller: Caller, version: int, new: Sequence[_Told], outcome: Outcome) -> None:
    ids, now, rows, events = clock.new_ids("product", len(new)), clock.now(), [], []
    for id, told in zip(ids, new, strict=True):
        row = _make(id, caller, version, told, now)
        rows.append(row)
        events.append(say(row, told.kind))
        outcome.ids[told.place] = id
    add_rows(session, rows)
    emit_many(session, events)
    outcome.created = len(new)


def _make(id: str, caller: Caller, version: int, told: _Told, now: datetime) -> Row:
    draft, kind = told.draft, told.kind
    standing = find_standing(kind.documents_of("product", draft.attributes), (), now)
    return Row(
        id=id,
        version=1,
        market=kind.pack.market,
        owner_id=caller.party_id,
        number=draft.number,
        state=_next_state(State.DRAFT, draft, kind),
        blocked=standing.blocked,
        due_at=standing.due_at,
        proposed=None,
        reason=None,
        digest=told.digest,
        made_by=caller.user_id,
        made_at=now,
        changed_at=now,
        **describe_as(kind, caller.party_id, version, draft.attributes, draft.texts, draft.gtin),
    )


def _next_state(state: str, draft: Draft, kind: Kind) -> str:
    """What a described product becomes: what is rejected is a draft again, unless it is to be published."""
    if _is_to_publish(state, draft):
        return Product.moves["submit" if kind.is_moderated else "publish"].to
    return Product.moves["redraft"].to if state == State.REJECTED else state


def _change(session: Session, caller: Caller, version: int, changed: Sequence[_Told], outcome: Outcome) -> None:
    if not changed:
        return
    ids = {told.place: id for told in changed if (id := outcome.ids[told.place])}
    rows, now = lock_rows(session, list(ids.values())), clock.now()
    papers = find_papers(session, "product", [ids[t.place] for t in changed if t.kind.has_documents("product")])
    kept, changes, events = [], [], []
    for told in changed:
        row = rows[ids[told.place]]
        rules = told.kind.documents_of("product", told.draft.attributes)
        standing = find_standing(rules, papers.get(row.id, ()), now) if rules else FREE
        revised = _revise(row, told, version, standing, by=caller.user_id, at=now)
        if not (found := find_changes(content_of(row), content_of(revised))):
            outcome.unchanged += 1
            continue
        revised = replace(revised, version=row.version + 1, changed_at=now)
        kept.append(revised)
        changes.append((revised, found))
        events.append(say(revised, told.kind))
    change_rows(session, kept, remember(caller, changes))
    emit_many(session, events)
    outcome.updated = len(kept)


def _revise(row: Row, told: _Told, version: int, standing: Standing, *, by: str, at: datetime) -> Row:
    """A product as a draft says, or as it is with what is proposed where the operator looks first."""
    draft, kind = told.draft, told.kind
    values = describe_as(kind, row.owner_id, version, draft.attributes, draft.texts, draft.gtin)
    if row.state == State.PUBLISHED and kind.is_moderated and told.digest != _digest_of_shown(row):
        shown = ("title", "attributes", "texts", "gtin", "product_type", "market_version")
        proposed = {name: values[name] for name in shown} | {"digest": told.digest, "by": by, "at": at.isoformat()}
        return replace(row, proposed=proposed, reason=None, digest=told.digest)
    return replace(
        row,
        **values,
        state=_next_state(row.state, draft, kind),
        blocked=standing.blocked,
        due_at=standing.due_at,
        proposed=None,
        reason=None,
        digest=told.digest,
    )


def _digest_of_shown(row: Row) -> str:
    return digest_of(row.market, row.attributes, row.texts, row.gtin)


def describe_as(
    kind: Kind, owner_id: str, version: int, attributes: dict[str, str], texts: dict[str, str], gtin: str | None
) -> dict[str, Any]:
    """What a description makes of a company's product, by column; ``version`` is that of the market's pack."""
    facts = kind.find_facts(owner_id, attributes)
    return {
        "market_version": version,
        "product_type": kind.name,
        "attributes": attributes,
        "texts": texts,
        "gtin": gtin,
        "title": facts.title,
        "group_id": facts.group_id,
        "hidden_by": facts.hidden_by,
        "equal_keys": facts.equal_keys,
    }


def remember(caller: Caller, changed: Sequence[tuple[Any, dict[str, list[Any]]]]) -> list[Change]:
    """Rows of history: what changed in products, which count it already."""
    return [
        Change(
            id=id,
            product_id=product.id,
            version=product.version,
            user_id=caller.user_id,
            at=product.changed_at,
            changes=changes,
        )
        for id, (product, changes) in zip(clock.new_ids("change", len(changed)), changed, strict=True)
    ]


def say(product: Any, kind: Kind) -> ProductDescribed:
    """What a product or its row is like, as it stands, for others.

    ``kind`` is of the version of the market that it was described by.
    """
    units = kind.units
    return ProductDescribed(
        product_id=product.id,
        version=product.version,
        market=product.market,
        market_version=product.market_version,
        product_type=product.product_type,
        offered_as=kind.type.offered_as,
        owner_id=product.owner_id,
        number=product.number,
        state=product.state,
        title=product.title,
        attributes=product.attributes,
        base_unit=units.base,
        trade_units=units.trade,
        step=units.step,
        minimum=units.minimum,
        licences=kind.licences(product.attributes),
        blocked=product.blocked,
        group_id=product.group_id,
        gtin=product.gtin,
        texts=product.texts,
    )
