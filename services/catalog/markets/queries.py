"""Looks markets up."""

from __future__ import annotations

import msgspec
from sqlalchemy.orm import Session

from chassis.auth import Caller
from chassis.database import Page, page, see
from chassis.problems import Invalid
from chassis.values import read_wire
from services.catalog.markets.loader import load_packs
from services.catalog.markets.model import Market
from services.catalog.markets.pack import Pack


class UnknownMarket(Invalid):
    """There is no such market."""


def pack_of(market: str) -> Pack:
    """The pack of a market. Raises UnknownMarket."""
    if (pack := load_packs().get(market)) is None:
        raise UnknownMarket(f"no market {market!r}", field="$.market")
    return pack


def see_market(session: Session, caller: Caller, market: str) -> tuple[int, Pack]:
    """The version and content of a market as it was told. Raises NotFound."""
    return _read(see(session, Market, market, caller))


def list_markets(session: Session, caller: Caller, cursor: str | None, limit: int) -> Page[tuple[int, Pack]]:
    """Versions and contents of the markets."""
    return page(session, Market, caller, cursor, limit).map(_read)


def _read(market: Market) -> tuple[int, Pack]:
    return market.version, msgspec.convert(market.pack, Pack, dec_hook=read_wire)
