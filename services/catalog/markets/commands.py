"""Publishes market packs: those that came with this release, and those of an operator."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import msgspec
from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from chassis import clock
from chassis.auth import Caller
from chassis.database import get, get_if_any
from chassis.messages import emit
from chassis.problems import Invalid
from chassis.values import read_wire
from events.catalog import MarketDescribed
from services.catalog.base import among
from services.catalog.indices.queries import find_index_mistakes
from services.catalog.markets.loader import PackError, read_pack
from services.catalog.markets.model import OPERATOR, RELEASE, Market, MarketVersion
from services.catalog.markets.pack import Pack
from services.catalog.markets.queries import forget_found


class BadPack(Invalid):
    """The pack of a market has a mistake."""


@dataclass(frozen=True)
class Publication:
    """What became of a pack: the version of its market that has it, and whether that is new."""

    market: str
    version: int
    is_new: bool


def publish_packs(session: Session, caller: Caller, packs: Iterable[Pack]) -> None:
    """Publish the packs of a release whose content is new or changed.

    The same content again changes nothing, and neither does a release change what an operator published last.
    """
    _lock(session)
    packs = list(packs)
    known = set(session.scalars(select(Market.id).where(among(Market.id, (pack.market for pack in packs)))))
    made = [_make(session, caller, pack, RELEASE) for pack in packs if pack.market not in known]
    made += [_change(session, caller, pack, RELEASE) for pack in packs if pack.market in known]
    session.flush()
    for market in made:
        if market is not None:
            describe(session, market)


def publish_pack(session: Session, caller: Caller, pack: Pack) -> Publication:
    """Publish an operator's pack as the next version of its market; the same content again changes nothing.

    What was made under an older version keeps that. Releases of the platform no longer change this market.
    Raises BadPack.
    """
    _lock(session)
    before = get_if_any(session, Market, pack.market, caller)
    market = _add(session, caller, pack) if before is None else _change(session, caller, pack, OPERATOR)
    if market is None:
        return Publication(pack.market, get(session, Market, pack.market, caller).version, is_new=False)
    session.flush()
    describe(session, market)
    return Publication(market.id, market.version, is_new=True)


def check_pack(session: Session, caller: Caller, pack: Pack) -> Publication:
    """What publishing a pack would come to, without doing it. Raises BadPack."""
    market = get_if_any(session, Market, pack.market, caller)
    if market is not None and market.digest == pack.digest:
        return Publication(pack.market, market.version, is_new=False)
    _refuse_bad_indices(session, pack)
    return Publication(pack.market, market.version + 1 if market else 1, is_new=True)


def read_body(body: bytes) -> Pack:
    """The pack in a request's body. Raises BadPack, which names key and reason."""
    try:
        return read_pack("pack", body)
    except PackError as mistake:
        key = f"$.{mistake.key}" if mistake.key else "$"
        raise BadPack(mistake.reason, field=key) from None


def describe(session: Session, market: Market) -> None:
    """Tell what a market is like, as it stands."""
    forget_found(session)
    pack = msgspec.convert(market.pack, Pack, dec_hook=read_wire)
    name = {"zh": pack.name.zh, "en": pack.name.en}
    event = MarketDescribed(
        market=market.id,
        version=market.version,
        name=name,
        terms=pack.terms,
        fees=pack.fees,
        clauses=pack.clauses,
    )
    emit(session, event, of=market)


def _lock(session: Session) -> None:
    """Let publications wait for each other until this transaction ends."""
    forget_found(session)
    session.execute(select(func.pg_advisory_xact_lock(func.hashtextextended("markets", 0))))


def _refuse_bad_indices(session: Session, pack: Pack) -> None:
    for key, reason in find_index_mistakes(session, pack.market, pack.indices):
        raise BadPack(reason, field=f"$.{key}")


def _add(session: Session, caller: Caller, pack: Pack) -> Market:
    """A market that no release has."""
    _refuse_bad_indices(session, pack)
    return _make(session, caller, pack, OPERATOR)


def _make(session: Session, caller: Caller, pack: Pack, source: str) -> Market:
    market = Market(id=pack.market, version=1, digest=pack.digest, pack=pack.content, source=source)
    session.add_all([market, _make_version(caller, market)])
    return market


def _change(session: Session, caller: Caller, pack: Pack, source: str) -> Market | None:
    """The market with a pack as its next version; None when nothing is new, or a release may not say so."""
    market = get(session, Market, pack.market, caller)
    if source == RELEASE and market.source == OPERATOR:
        return None
    market.source = source
    if market.digest == pack.digest:
        return None
    _refuse_bad_indices(session, pack)
    _keep_content(session, market)
    market.version += 1
    market.digest, market.pack = pack.digest, pack.content
    session.add(_make_version(caller, market))
    return market


def _keep_content(session: Session, market: Market) -> None:
    """Move the content of a market's latest version to where the older ones stand."""
    is_it = (MarketVersion.market == market.id, MarketVersion.version == market.version)
    session.execute(update(MarketVersion).where(*is_it).values(pack=market.pack))


def _make_version(caller: Caller, market: Market) -> MarketVersion:
    return MarketVersion(
        id=clock.new_id("market_version"),
        market=market.id,
        version=market.version,
        digest=market.digest,
        pack=None,
        source=market.source,
        user_id=caller.user_id if market.source == OPERATOR else None,
        published_at=clock.now(),
    )
