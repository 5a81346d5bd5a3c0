"""Markets over HTTP: what can be traded here and how."""

from __future__ import annotations

from flask import Blueprint
from sqlalchemy.orm import Session

from chassis.auth import Caller
from chassis.database import Page
from chassis.http import Paging, View, query
from events.catalog import Clause, MarketFees, MarketTerms
from services.catalog.markets import queries
from services.catalog.markets.pack import (
    Attribute,
    Bilingual,
    CertificateRule,
    Choice,
    Columns,
    Conversion,
    Form,
    Pack,
)

routes = Blueprint("markets", __name__)


class MarketSummary(View):
    """A market in a list."""

    market: str
    version: int
    name: Bilingual

    @classmethod
    def of(cls, told: tuple[int, Pack]) -> MarketSummary:
        """The view of a market."""
        version, pack = told
        return cls(market=pack.market, version=version, name=pack.name)


class MarketView(View):
    """A market: what its pieces have, which headings an upload may use, what terms may be, what the platform takes.

    ``forms`` say what pieces of a kind must have and what they weigh in theory; ``clauses`` are those of its agreement.
    """

    market: str
    version: int
    name: Bilingual
    terms: MarketTerms
    fees: MarketFees
    conversions: list[Conversion]
    columns: Columns
    attributes: list[Attribute]
    choices: dict[str, list[Choice]]
    forms: list[Form]
    certificate: CertificateRule | None
    clauses: list[Clause]

    @classmethod
    def of(cls, told: tuple[int, Pack]) -> MarketView:
        """The view of a market."""
        version, pack = told
        return cls(
            market=pack.market,
            version=version,
            name=pack.name,
            terms=pack.terms,
            fees=pack.fees,
            conversions=pack.conversions,
            columns=pack.columns,
            attributes=pack.attributes,
            choices=pack.choices,
            forms=pack.forms,
            certificate=pack.certificate,
            clauses=pack.clauses,
        )


@routes.get("/v1/markets")
@query(public=True)
def list_markets(session: Session, caller: Caller, params: Paging) -> Page[MarketSummary]:
    """The markets of this platform."""
    return queries.list_markets(session, caller, params.cursor, params.limit).map(MarketSummary.of)


@routes.get("/v1/markets/<market>")
@query(public=True)
def see_market(session: Session, caller: Caller, market: str) -> MarketView:
    """A market with its attributes, vocabularies and terms."""
    return MarketView.of(queries.see_market(session, caller, market))
