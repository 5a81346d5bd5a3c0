"""Publishes the market packs that came with this release."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

import msgspec
from sqlalchemy import select
from sqlalchemy.orm import Session

from chassis.auth import Caller
from chassis.database import get
from chassis.messages import emit
from chassis.values import read_wire, write_wire
from events.catalog import MarketDescribed
from services.catalog.base import among
from services.catalog.markets.model import Market
from services.catalog.markets.pack import Pack


def publish_packs(session: Session, caller: Caller, packs: Iterable[Pack]) -> None:
    """Keep packs whose content is new or changed under the next version, and tell it.

    The same content again changes nothing.
    """
    packs = list(packs)
    known = set(session.scalars(select(Market.id).where(among(Market.id, (pack.market for pack in packs)))))
    for pack in packs:
        content = msgspec.to_builtins(pack, enc_hook=write_wire)
        digest = hashlib.sha256(msgspec.json.encode(content, order="deterministic")).hexdigest()
        if pack.market not in known:
            market = Market(id=pack.market, version=1, digest=digest, pack=content)
            session.add(market)
            describe(session, market)
        elif (market := get(session, Market, pack.market, caller)).digest != digest:
            market.version, market.digest, market.pack = market.version + 1, digest, content
            describe(session, market)


def describe(session: Session, market: Market) -> None:
    """Tell what a market is like, as it stands."""
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
