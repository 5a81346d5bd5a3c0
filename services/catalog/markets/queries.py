"""Looks markets up: each version of a pack is read from the database once and then kept."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import msgspec
from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from chassis.auth import Caller
from chassis.database import Page, page
from chassis.problems import Invalid, NotFound
from chassis.values import read_wire
from services.catalog.base import among
from services.catalog.markets.model import Market, MarketVersion
from services.catalog.markets.pack import Pack, ProductType

PACKS_KEPT = 64
_packs: dict[tuple[str, int, str], Pack] = {}


class UnknownMarket(Invalid):
    """There is no such market."""


class UnknownType(Invalid):
    """The market has no such product type."""


@dataclass(frozen=True)
class PublishedPack:
    """A pack and the version of its market that it is."""

    version: int
    pack: Pack


def pack_of(session: Session, market: str, version: int | None = None) -> Pack:
    """The pack of a market as it was in a version, otherwise its latest. Raises UnknownMarket."""
    return find_published(session, market, version).pack


def find_published(session: Session, market: str, version: int | None = None) -> PublishedPack:
    """The pack of a market in a version, otherwise the latest, with that version. Raises UnknownMarket."""
    found = _find(session, market, version)
    if found is None:
        what = f"no market {market!r}" if version is None else f"no version {version} of a market {market!r}"
        raise UnknownMarket(what, field="$.market")
    return found


def version_of(session: Session, pack: Pack) -> int:
    """The version of its market that a pack was read as, the latest for one from a file. Raises UnknownMarket."""
    found = pack.__dict__.get("read_as")
    return found if found is not None else find_published(session, pack.market).version


def packs_of(session: Session, markets: Iterable[str]) -> dict[str, Pack]:
    """The latest packs of markets, by market; those that there are not are left out."""
    rows = session.execute(select(Market.id, Market.version, Market.digest).where(among(Market.id, markets)))
    return {market: _keep(session, market, version, digest) for market, version, digest in rows}


def list_packs(session: Session) -> list[Pack]:
    """The latest packs of all markets, by name."""
    rows = session.execute(select(Market.id, Market.version, Market.digest).order_by(Market.id))
    return [_keep(session, market, version, digest) for market, version, digest in rows.all()]


def see_market(session: Session, caller: Caller, market: str, version: int | None = None) -> PublishedPack:
    """A market as it was told in a version, otherwise its latest. Raises NotFound."""
    found = _find(session, market, version)
    if found is None:
        raise NotFound(f"no market {market!r}" if version is None else f"no version {version} of market {market!r}")
    return found


def list_markets(session: Session, caller: Caller, cursor: str | None, limit: int) -> Page[PublishedPack]:
    """Versions and contents of the markets."""
    found = page(session, Market, caller, cursor, limit)
    return found.map(lambda market: _published(session, market.id, market.version, market.digest))


def list_versions(session: Session, caller: Caller, market: str, cursor: str | None, limit: int) -> Page[MarketVersion]:
    """The versions of a market, newest first. Raises NotFound."""
    if session.get(Market, market) is None:
        raise NotFound(f"no market {market!r}")
    return page(session, MarketVersion, caller, cursor, limit, MarketVersion.market == market)


def find_type(pack: Pack, name: str) -> ProductType:
    """A product type of a pack by its name. Raises UnknownType."""
    if (type := pack.types_by_name.get(name)) is None:
        raise UnknownType(f"no product type {name!r}: there are {', '.join(pack.types_by_name)}", field="$.type")
    return type


def list_types(pack: Pack, name: str | None) -> list[ProductType]:
    """The product type of that name, or all. Raises UnknownType."""
    return pack.types if name is None else [find_type(pack, name)]


def forget_found(session: Session) -> None:
    """Let what this session has found of markets be looked up again: one of them has changed."""
    session.info.pop("markets", None)


def _find(session: Session, market: str, version: int | None) -> PublishedPack | None:
    """A session sees a market as it stood when it first asked: a command for many things asks once."""
    found: dict[tuple[str, int | None], PublishedPack] = session.info.setdefault("markets", {})
    if (market, version) not in found:
        row = session.execute(_select_version(market, version)).one_or_none()
        if row is None:
            return None
        found[market, version] = _published(session, market, *row)
    return found[market, version]


def _select_version(market: str, version: int | None) -> Select[tuple[int, str]]:
    if version is None:
        return select(Market.version, Market.digest).where(Market.id == market)
    is_it = (MarketVersion.market == market, MarketVersion.version == version)
    return select(MarketVersion.version, MarketVersion.digest).where(*is_it)


def _published(session: Session, market: str, version: int, digest: str) -> PublishedPack:
    return PublishedPack(version, _keep(session, market, version, digest))


def _keep(session: Session, market: str, version: int, digest: str) -> Pack:
    """A version of a pack, read once: what a version says never changes, and the digest tells databases apart."""
    key = (market, version, digest)
    if (pack := _packs.get(key)) is None:
        if len(_packs) >= PACKS_KEPT:
            _packs.pop(next(iter(_packs)), None)
        pack = msgspec.convert(_read_content(session, market, version), Pack, dec_hook=read_wire)
        pack.__dict__["read_as"] = version
        _packs[key] = pack
    return pack


def _read_content(session: Session, market: str, version: int) -> dict[str, Any]:
    latest = session.execute(select(Market.version, Market.pack).where(Market.id == market)).one()
    if latest.version == version:
        return latest.pack
    is_it = (MarketVersion.market == market, MarketVersion.version == version)
    return session.scalars(select(MarketVersion.pack).where(*is_it)).one()
